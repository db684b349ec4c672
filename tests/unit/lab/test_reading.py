"""What providers return, as it is kept."""

from chatsubo.lab.reading import read_template
from chatsubo.providers.base import BaseTemplate


def test_a_malformed_label_is_a_warning_that_names_it_and_not_its_value() -> None:
    template = BaseTemplate("web", "lab", labels={"chatsubo.difficulty": "eleven", "chatsubo.os": "Linux"})
    (warning,) = read_template(template).warnings
    assert str(warning) == ("The label chatsubo.difficulty is not used: expected a whole number from 1 to 10.")
