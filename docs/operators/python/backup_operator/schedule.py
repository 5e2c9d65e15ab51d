"""Checks a schedule as a crontab has it."""

import zoneinfo

FIELDS = [("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)]
NAMES = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "day of the week": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
MACROS = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}


def find_problem(schedule):
    """What is wrong with a schedule; None if nothing is."""
    if schedule in MACROS:
        return None
    texts = schedule.split()
    if len(texts) != len(FIELDS):
        return f"{schedule!r} has {len(texts)} fields, not 5"
    for text, (name, low, high) in zip(texts, FIELDS):
        for part in text.split(","):
            if not _is_part(part, name, low, high):
                return f"{part!r} is no {name} from {low} to {high}"
    return None


def _is_part(part, name, low, high):
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    if span in ("*", "?"):
        return True
    first, dash, last = span.partition("-")
    numbers = [_number(text, name, low) for text in ([first, last] if dash else [first])]
    return all(number is not None and low <= number <= high for number in numbers) and numbers == sorted(numbers)


def _number(text, name, low):
    if text.isascii() and text.isdigit() and len(text) <= 2:
        return int(text)
    names = NAMES.get(name, [])
    return names.index(text.lower()) + low if text.lower() in names else None


def is_time_zone(name):
    return name in zoneinfo.available_timezones()
