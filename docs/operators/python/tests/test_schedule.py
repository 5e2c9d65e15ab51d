import unittest

from backup_operator.schedule import find_problem, is_time_zone


class Schedule(unittest.TestCase):
    def test_takes_what_a_crontab_takes(self):
        for text in ("0 3 * * *", "*/15 0-6 1,15 jan-mar mon-fri", "0 0 31 12 7", "@hourly", "5/10 * ? * *"):
            self.assertIsNone(find_problem(text), text)

    def test_names_the_field_that_is_wrong(self):
        wrong = {
            "0 25 * * *": "'25' is no hour from 0 to 23",
            "60 * * * *": "'60' is no minute from 0 to 59",
            "* * 0 * *": "'0' is no day of the month from 1 to 31",
            "* * * 13 *": "'13' is no month from 1 to 12",
            "* * * * 5-1": "'5-1' is no day of the week from 0 to 7",
            "*/0 * * * *": "'*/0' is no minute from 0 to 59",
            "\u0665 * * * *": "'\u0665' is no minute from 0 to 59",
            "@never": "'@never' has 1 fields, not 5",
        }
        for text, problem in wrong.items():
            self.assertEqual(find_problem(text), problem)

    def test_knows_time_zones(self):
        self.assertTrue(is_time_zone("Europe/Berlin"))
        self.assertFalse(is_time_zone("../etc/passwd"))


if __name__ == "__main__":
    unittest.main()
