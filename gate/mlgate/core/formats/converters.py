"""What to do with a file whose ending tells no format that is read: the command that makes one of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from mlgate.core.formats.names import FORMATS, suffix, unpacked_name

_SGM = (
    "import html, re, sys; "
    "[print(html.unescape(text)) for text in re.findall(r'<seg[^>]*>(.*?)</seg>', sys.stdin.read(), re.S)]"
)
_XML = (
    "import html, re, sys; all = sys.stdin.read(); "
    "[open(name + '.txt', 'w').write(''.join(html.unescape(text) + chr(10) "
    "for part in re.findall('<' + name + ' .*?</' + name + '>', all, re.S) "
    "for text in re.findall(r'<seg[^>]*>(.*?)</seg>', part, re.S))) for name in ('src', 'ref')]"
)
_BY_PANDAS: Mapping[str, tuple[str, str]] = {
    ".xlsx": ("read_excel", "pandas openpyxl"),
    ".xls": ("read_excel", "pandas xlrd"),
    ".ods": ("read_excel", "pandas odfpy"),
    ".pkl": ("read_pickle", "pandas"),
    ".pickle": ("read_pickle", "pandas"),
    ".arrow": ("read_feather", "pandas pyarrow"),
    ".feather": ("read_feather", "pandas pyarrow"),
    ".parquet": ("read_parquet", "pandas pyarrow"),
}
_UNPACK: Mapping[str, str] = {".zip": "unzip", ".tar": "tar -xf", ".tgz": "tar -xf", ".7z": "7z x"}


def has_converter(path: str) -> bool:
    """Return whether a file's ending tells a format that is surely not lines of text."""
    ending = suffix(unpacked_name(path))
    return ending in _BY_PANDAS or ending in _UNPACK or ending in (".sgm", ".sgml", ".xml")


def converter(path: str) -> str:
    """Return what to do with the file, as the next step of an error."""
    plain, old = unpacked_name(path), shlex.quote(path)
    ending = suffix(plain)
    stem = plain[: len(plain) - len(ending)]
    if found := _BY_PANDAS.get(ending):
        program = f"import pandas, sys; pandas.{found[0]}(sys.argv[1]).to_csv(sys.argv[2], index=False)"
        csv = f"{stem}.csv"
        made = f"python3 -c '{program}' {old} {shlex.quote(csv)}"
        return f"write it as CSV: `{made}` (pip install {found[1]}), and name {csv}"
    if tool := _UNPACK.get(ending):
        return f"unpack it: `{tool} {old}`, and name the file that was in it"
    match ending:
        case ".sgm" | ".sgml":
            text = f"{stem}.txt"
            made = f'python3 -c "{_SGM}" < {old} > {shlex.quote(text)}'
            return f"write its segments as lines: `{made}`; {_lines(text)}"
        case ".xml":
            made = f'python3 -c "{_XML}" < {old}'
            return f"if it is WMT's, write its segments as lines: `{made}`; {_lines('src.txt')}"
        case ".txt":
            return f"{_lines(path)}; or write its format: jsonl, json, csv or tsv"
    endings = ", ".join(FORMATS)
    return f"write format: jsonl, json, csv, tsv or parquet, or rename it to end in {endings}; {_lines(path)}"


def _lines(name: str) -> str:
    return f"where line n of two files belongs together, write `data: {{source: {name}, references: [ref.txt]}}`"
