import unittest

from backup_operator.conversion import ANNOTATION, convert

OLD, NEW = "backup.example.com/v1alpha1", "backup.example.com/v1"


def item(version, spec, annotations=None):
    metadata = {"name": "a", "namespace": "b", **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": version, "kind": "ScheduledBackup", "metadata": metadata, "spec": spec}


old = item(OLD, {"cron": "0 3 * * *", "claim": "data", "keep": 3}, {"mine": "x"})
new = item(NEW, {"schedule": "@daily", "source": {"claimName": "data"}, "suspend": True, "destination": {"storage": "1Gi"}})


class Conversion(unittest.TestCase):
    def test_names_the_fields_as_the_other_version_does(self):
        self.assertEqual(convert(old, NEW)["spec"], {"schedule": "0 3 * * *", "source": {"claimName": "data"}, "keep": 3})

    def test_comes_back_from_each_version_to_what_it_was(self):
        for each, other in ((old, NEW), (new, OLD)):
            self.assertEqual(convert(convert(each, other), each["apiVersion"]), each)

    def test_refuses_an_annotation_that_is_not_its_own(self):
        for text in ("{", "[]", '{"schedule":"@daily"}', '{"suspend":"yes"}', '{"destination":1}'):
            broken = item(OLD, old["spec"], {ANNOTATION: text})
            with self.assertRaisesRegex(ValueError, "a: the annotation backup.example.com/v1-spec "):
                convert(broken, NEW)


if __name__ == "__main__":
    unittest.main()
