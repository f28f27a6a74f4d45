"""A page as a parser sees it: elements with their attributes, texts, and what is inside what."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br", "hr"}


@dataclass
class Element:
    tag: str
    attributes: dict
    inside: tuple = ()  # tags around it, outermost first
    text: str = ""
    parts: list = field(default_factory=list)  # elements inside it

    def all(self, *tags):
        """Elements inside it, at any depth."""
        for part in self.parts:
            if not tags or part.tag in tags:
                yield part
            yield from part.all(*tags)


class ParsedPage(HTMLParser):
    """Reads a page; an end without its start is an error."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = Element("page", {})
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert [x.tag for x in self.open] == ["page"], "elements without an end"

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names), (tag, names)
        found = Element(tag, dict(attributes), tuple(x.tag for x in self.open))
        self.open[-1].parts.append(found)
        if tag not in VOID:
            self.open.append(found)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, (self.open[-1], tag)
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element.text += data

    def all(self, *tags):
        return list(self.root.all(*tags))
