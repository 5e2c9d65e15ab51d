import unittest

from backup_operator.framework.work_queue import WorkQueue


class Queue(unittest.TestCase):
    def test_has_a_key_once(self):
        queue = WorkQueue()
        for key in ("a", "b", "a"):
            queue.add(key)
        self.assertEqual([queue.take(), queue.take()], ["a", "b"])
        queue.close()
        self.assertIsNone(queue.take())

    def test_gives_a_key_to_one_worker_at_a_time(self):
        queue = WorkQueue()
        queue.add("a")
        queue.take()
        queue.add("a")
        queue.add("b")
        self.assertEqual(queue.take(), "b")
        queue.done("a")
        self.assertEqual(queue.take(), "a")

    def test_adds_a_failing_key_later_and_later(self):
        now = [0.0]
        queue = WorkQueue(base_delay=1, max_delay=4, clock=lambda: now[0])
        self.assertEqual([queue.add_rate_limited("a") for _ in range(3)], [1, 2, 3])
        queue.forget("a")
        self.assertEqual(queue.add_rate_limited("a"), 1)
        now[0] = 1.0
        self.assertEqual(queue.take(), "a")


if __name__ == "__main__":
    unittest.main()
