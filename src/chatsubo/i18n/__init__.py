"""Catalogues of translations, and the formats of dates, numbers and durations."""
