"""Names of people: which are allowed, when two are the same, how they are found and turned into sign-ins."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from usher.core.cells import begins_like_formula
from usher.core.errors import UsherError
from usher.core.reasons import Finding, Reason

LONGEST: Final = 150
LONGEST_OF_GROUP: Final = 80
_LONGEST_SORT_KEY: Final = 60
_MOST_WORDS: Final = 12
_LONGEST_WORD: Final = 40
_LONGEST_STEM: Final = 40

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.'_-]*(?: [A-Za-z0-9.'_-]+)*")
# Characters nobody sees: controls (line ends and tabs are folded like spaces), bidi controls, zero-width
# signs, fillers that look empty, tags, and halves of surrogate pairs. A joiner (ZWNJ, ZWJ) belongs to
# Persian, Indic and emoji spelling: there it follows a character that is not ASCII; elsewhere it only makes
# look-alikes.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
    "|(?:^|(?<=[\x00-\x7f\\s\u200c\u200d]))[\u200c\u200d]"
)
_LOST: Final = "\ufffd"

_JOINERS: Final = {0x200C: None, 0x200D: None}
# Letters that NFKD leaves whole, after casefold; and the dashes people paste for a hyphen.
_LETTERS: Final = str.maketrans(
    {
        **dict(zip("øłđðħıŧƒɨʉ", "olddhitfiu", strict=True)),
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ŋ": "ng",
        **dict.fromkeys("\u2010\u2012\u2013\u2212", "-"),
    }
)
# Accents of Latin, Greek and Cyrillic; the marks of other scripts are letters there and stay.
_ACCENTS: Final = dict.fromkeys([*range(0x300, 0x370), *range(0x1AB0, 0x1B00), *range(0x1DC0, 0x1E00)])
_FOLD: Final = {**_LETTERS, **_ACCENTS, **_JOINERS}
_ASCII_WORD: Final = re.compile("[a-z0-9]+")
# All that separates words. 々, 〆 and 〇 (U+3005 to U+3007) are parts of names.
_BETWEEN: Final = re.compile("[\\s!-/:-@\\[-`{-~\xa1-\xbf\xd7\xf7\u2010-\u205e\u3001-\u3003\u3008-\u3020\u3030\u30fb]+")


def clean_name(text: str, column: str = "username") -> str:
    """The name as it is kept and shown: NFC, single spaces. Raises UsherError for one that is not allowed."""
    if len(text) <= LONGEST and _PLAIN.fullmatch(text):
        return text
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    finding = _fault(text.strip(), name, column)
    if finding:
        raise UsherError(finding)
    return name


def _fault(typed: str, name: str, column: str) -> Finding | None:
    if not name:
        return Reason.NAME_MISSING(column)
    if len(name) > LONGEST:
        return Reason.NAME_TOO_LONG(column, length=len(name), limit=LONGEST)
    # Looked for in what was typed: folding takes some controls for spaces.
    if _HIDDEN.search(typed) or _HIDDEN.search(name):
        return Reason.NAME_HIDDEN_CHARACTERS(column)
    if _LOST in name:
        return Reason.NAME_DAMAGED(column)
    if begins_like_formula(name):
        return Reason.NAME_LOOKS_LIKE_FORMULA(column, first=name[0])
    return None


def clean_group_name(text: str, column: str = "name") -> str:
    """The name of a group: as that of a person, but shorter, and without the sign that separates groups in files."""
    name = clean_name(text, column)
    # Compared, some signs become whole words; that form has to fit too.
    length = max(len(name), len(name_key(name)))
    if length > LONGEST_OF_GROUP:
        raise UsherError(Reason.NAME_TOO_LONG(column, length=length, limit=LONGEST_OF_GROUP))
    if "|" in name:
        raise UsherError(Reason.GROUP_NAME_WITH_BAR(column))
    return name


def name_key(text: str) -> str:
    """Equal for two names that a reader takes for the same: width, case, spacing and joiners do not count."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.translate(_JOINERS).split())


def sort_key(text: str) -> str:
    """By what people are listed: the compare key without accents, cut. Equal compare keys have equal sort keys."""
    return _fold(name_key(text))[:_LONGEST_SORT_KEY]


def search_words(username: str, sign_in: str) -> tuple[str, ...]:
    """The words a person is found by: those of the name, the whole address and its local part."""
    words = dict.fromkeys(_words(username))
    words[_fold(sign_in)[:_LONGEST_WORD]] = None
    words.update(dict.fromkeys(_words(sign_in.partition("@")[0])))
    words.pop("", None)
    return tuple(words)[:_MOST_WORDS]


def query_words(text: str) -> tuple[str, ...]:
    """What somebody types into the search field; each word is to begin one of ``search_words``."""
    words: dict[str, None] = {}
    for piece in text.split():
        words.update(dict.fromkeys([_fold(piece)[:_LONGEST_WORD]] if "@" in piece else _words(piece)))
    words.pop("", None)
    return tuple(words)[:_MOST_WORDS]


def _words(text: str) -> list[str]:
    if text.isascii():
        return [word[:_LONGEST_WORD] for word in _ASCII_WORD.findall(text.lower())]
    return [word[:_LONGEST_WORD] for word in _BETWEEN.split(_fold(text))]


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    # NFC at the end puts Hangul syllables and Kana together again.
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_FOLD)
    return unicodedata.normalize("NFC", plain)


def stem(username: str) -> str:
    """The beginning of a made sign-in name: ``Åsa Öberg`` gives ``asa.oberg``. Empty when nothing is left.

    The door tells same stems apart by ``-2``, ``-3`` and calls people without ASCII letters ``student.4831``.
    So that no stem meets a made name, none ends in hyphen and digits or reads letters, dot, four digits.
    """
    plain = unicodedata.normalize("NFKD", username).casefold().translate(_LETTERS)
    ascii_text = plain.encode("ascii", "ignore").decode()
    kept = re.sub(r"-+", "-", re.sub(r"[^a-z0-9\s._-]", "", ascii_text))
    words = (word.strip("-") for word in re.split(r"[\s._]+", kept))
    joined = ".".join(word for word in words if word)[:_LONGEST_STEM].rstrip(".-")
    if not username.isascii() and not re.search("[a-z]", joined):
        return ""
    return _apart_from_made(joined)


def _apart_from_made(joined: str) -> str:
    joined = re.sub(r"-(?=[0-9]+\Z)", ".", joined)
    return re.sub(r"\A([a-z]+)\.(?=[0-9]{4,}\Z)", r"\1", joined)
