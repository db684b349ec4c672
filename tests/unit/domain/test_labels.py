"""The label grammar: what it reads, and that nothing takes it down."""

from hypothesis import given
from hypothesis import strategies as st

from chatsubo.domain.labels import Creds, Flag, parse_notes, read_metadata

names = st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True)
values = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40).map(str.strip)


@given(st.dictionaries(names, st.tuples(values, st.integers(0, 1_000_000)), max_size=8))
def test_every_flag_that_has_a_value_and_points_is_read_as_it_was_written(flags):
    notes = "\n".join(
        f"chatsubo.flags.{name}.value={value}\nchatsubo.flags.{name}.points={points}"
        for name, (value, points) in flags.items()
    )
    found = read_metadata(parse_notes(notes))
    assert found.flags == tuple(Flag(name, value, points) for name, (value, points) in sorted(flags.items()))
    assert not found.rejected


@given(st.dictionaries(names, st.tuples(values, values), max_size=8))
def test_creds_keep_case_equal_signs_quotes_and_accents(creds):
    labels = {f"chatsubo.creds.{kind}.username": user for kind, (user, _) in creds.items()}
    labels |= {f"chatsubo.creds.{kind}.password": password for kind, (_, password) in creds.items()}
    assert read_metadata(labels).creds == tuple(Creds(kind, *pair) for kind, pair in sorted(creds.items()))


@given(st.text(max_size=400))
def test_no_notes_take_the_reader_down(notes):
    read_metadata(parse_notes(notes))


@given(st.dictionaries(st.text(max_size=30).map(lambda key: "chatsubo." + key), st.text(max_size=30), max_size=10))
def test_no_label_takes_the_reader_down_nor_is_its_value_repeated(labels):
    secret = "S3CRET-value"
    for rejected in read_metadata(dict.fromkeys(labels, secret)).rejected:
        assert secret not in str(rejected.reason)
    read_metadata(labels)


@given(st.text("abcXYZ.-_ ", min_size=1, max_size=20), values)
def test_keys_compare_without_case(key, value):
    upper = read_metadata({f"CHATSUBO.{key.upper()}": value})
    lower = read_metadata({f"chatsubo.{key.lower()}": value})
    assert upper == lower


def test_what_stands_around_the_labels_is_ignored():
    lines = [
        "A fine machine.",
        "---",
        "chatsubo.template=web",
        "  chatsubo.realm = wz01  ",
        "by=me",
        "chatsubo.address=10.0.0.5",
    ]
    notes = "\r\n".join(lines)
    found = read_metadata(parse_notes(notes))
    assert (found.template, found.realm, found.address) == ("web", "wz01", "10.0.0.5")


def test_a_value_may_hold_an_equal_sign():
    assert parse_notes("chatsubo.flags.a.value=FLAG{a=b==}") == {"chatsubo.flags.a.value": "FLAG{a=b==}"}


def test_an_empty_flag_value_counts():
    found = read_metadata({"chatsubo.flags.first.value": "", "chatsubo.flags.first.points": "250"})
    assert found.flags == (Flag("first", "", 250),)


def test_a_malformed_label_is_reported_and_the_others_are_kept():
    found = read_metadata(
        {
            "chatsubo.difficulty": "eleven",
            "chatsubo.os": "windows",
            "chatsubo.flags.lonely.value": "x",
            "chatsubo.flags.bad.value": "y",
            "chatsubo.flags.bad.points": "-3",
            "chatsubo.port.80": "0",
            "chatsubo.port.22": "2222",
        }
    )
    assert found.os == "Windows"
    assert found.ports == {22: 2222}
    assert {rejected.key for rejected in found.rejected} == {
        "chatsubo.difficulty",
        "chatsubo.flags.lonely",
        "chatsubo.flags.bad.points",
        "chatsubo.port.80",
    }


def test_flags_and_creds_are_not_in_a_repr():
    found = read_metadata(
        {
            "chatsubo.flags.a.value": "FLAG{hidden}",
            "chatsubo.flags.a.points": "1",
            "chatsubo.creds.ssh.username": "neo",
            "chatsubo.creds.ssh.password": "wh1te-rabbit",
        }
    )
    assert "hidden" not in repr(found)
    assert "wh1te" not in repr(found)
