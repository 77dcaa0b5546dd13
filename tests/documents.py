"""The documents of the repository, as tests read them: links, anchors, commands and code, by a parser of Markdown."""

import functools
import re
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path for folder in (".", "docs", "examples", "findings", "weights/*") for path in ROOT.glob(f"{folder}/*.md")
)
_PARSER = MarkdownIt("commonmark").enable("table")


def name(path: Path) -> str:
    """Name a document in a test's id."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def tokens(path: Path) -> list[Token]:
    return _PARSER.parse(path.read_text())


def links(path: Path) -> list[str]:
    """List what a document links to or shows, pages of other sites aside."""
    found = []
    for token in tokens(path):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target and not str(target).startswith(("http://", "https://")):
                found.append(str(target))
    return found


def anchors(path: Path) -> set[str]:
    """List the anchors of a document's headings, made as GitHub makes them."""
    stream = tokens(path)
    titles = [stream[at + 1] for at, token in enumerate(stream) if token.type == "heading_open"]
    texts = ("".join(child.content for child in title.children or ()) for title in titles)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}


def commands(path: Path) -> list[str]:
    """List the lines of a document's indented blocks, all of them commands; one that goes on in the next is joined."""
    blocks = [token.content for token in tokens(path) if token.type == "code_block"]
    joined = (re.sub(r"\s*\\\n\s*", " ", block) for block in blocks)
    return [line for block in joined for line in block.splitlines() if line.strip()]


def inline_code(path: Path) -> list[str]:
    """List what stands in backquotes."""
    return [
        " ".join(child.content.split())
        for token in tokens(path)
        for child in token.children or ()
        if child.type == "code_inline"
    ]


def fences(path: Path, language: str) -> list[str]:
    """List the fenced blocks of a language."""
    return [token.content for token in tokens(path) if token.type == "fence" and token.info == language]
