import unittest

from backup_operator.framework.app import plan_condition
from backup_operator.handlers import CREATOR, set_creator


def request(operation, annotations=None, old=None):
    metadata = {} if annotations is None else {"annotations": annotations}
    before = None if old is None else {"metadata": {"annotations": old}}
    return {"operation": operation, "userInfo": {"username": "jane"}, "object": {"metadata": metadata}, "oldObject": before}


PATH = "/metadata/annotations/backup.example.com~1created-by"


class Creator(unittest.TestCase):
    def test_is_who_creates(self):
        self.assertEqual(set_creator(request("CREATE")), [{"op": "add", "path": "/metadata/annotations", "value": {CREATOR: "jane"}}])
        self.assertEqual(set_creator(request("CREATE", {CREATOR: "root"})), [{"op": "add", "path": PATH, "value": "jane"}])

    def test_stays_whoever_updates(self):
        self.assertEqual(set_creator(request("UPDATE", {CREATOR: "jane"}, {CREATOR: "joe"})), [{"op": "add", "path": PATH, "value": "joe"}])
        self.assertEqual(set_creator(request("UPDATE", {CREATOR: "joe"}, {CREATOR: "joe"})), [])
        self.assertEqual(set_creator(request("UPDATE", {CREATOR: "joe"}, {})), [{"op": "remove", "path": PATH}])
        self.assertEqual(set_creator(request("UPDATE", {"a": "b"}, {})), [])


class Condition(unittest.TestCase):
    def test_keeps_the_time_of_its_transition(self):
        first = plan_condition(None, ("True", "Scheduled", "x"), 1, "one")
        second = plan_condition(first, ("True", "Other", "y"), 2, "two")
        third = plan_condition(second, ("False", "Suspended", "z"), 3, "three")
        self.assertEqual([each["lastTransitionTime"] for each in (first, second, third)], ["one", "one", "three"])


if __name__ == "__main__":
    unittest.main()
