from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types
from tests.support.samples import ALL, errored, failing, inconclusive, passing, warned

from mlgate.reports import junit

SHAPE = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:attributeGroup name="counts">
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
  </xs:attributeGroup>
  <xs:complexType name="bad"><xs:simpleContent><xs:extension base="xs:string">
    <xs:attribute name="type" type="xs:string" use="required"/>
    <xs:attribute name="message" type="xs:string" use="required"/>
  </xs:extension></xs:simpleContent></xs:complexType>
  <xs:element name="testsuites"><xs:complexType>
    <xs:sequence><xs:element name="testsuite" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:sequence><xs:element name="testcase" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:choice minOccurs="0">
          <xs:element name="failure" type="bad"/>
          <xs:element name="error" type="bad"/>
          <xs:element name="system-out" type="xs:string"/>
        </xs:choice>
        <xs:attribute name="classname" type="xs:string" use="required"/>
        <xs:attribute name="name" type="xs:string" use="required"/>
      </xs:complexType></xs:element></xs:sequence>
      <xs:attributeGroup ref="counts"/>
      <xs:attribute name="skipped" type="xs:nonNegativeInteger" use="required"/>
    </xs:complexType></xs:element></xs:sequence>
    <xs:attributeGroup ref="counts"/>
  </xs:complexType></xs:element>
</xs:schema>
"""
"""What Jenkins' junit-10.xsd, GitLab and GitHub's readers all accept: the part of it that we write, and no more."""


def read(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314 - our own output


@pytest.mark.parametrize("name", ALL)
def test_every_sample_has_the_common_shape(name: str) -> None:
    etree.XMLSchema(etree.XML(SHAPE)).assertValid(etree.XML(junit.render(ALL[name]()).encode()))


def test_outcomes_map_to_what_ci_servers_know() -> None:
    assert not list(read(junit.render(passing())).iter("failure"))
    assert [e.attrib["type"] for e in read(junit.render(failing())).iter("failure")] == ["failed", "failed"]
    assert [e.attrib["type"] for e in read(junit.render(errored())).iter("error")] == ["errored", "errored"]
    assert [e.attrib["type"] for e in read(junit.render(inconclusive())).iter("error")] == ["inconclusive"]
    told = read(junit.render(warned())).findtext(".//system-out")
    assert told
    assert told.startswith("warned: wer 0.1211 became 0.1423")


def test_names_stay_when_numbers_change() -> None:
    cases = read(junit.render(failing())).iter("testcase")
    assert ("mlgate.summaries", "rougeL max_drop [module=parser]") in {
        (c.attrib["classname"], c.attrib["name"]) for c in cases
    }


def test_a_report_without_findings_is_not_green() -> None:
    root = read(junit.render(replace(passing(), findings=(), checks=())))
    assert (root.attrib["tests"], root.attrib["errors"]) == ("1", "1")
    assert root.find(".//error") is not None


def test_a_check_that_no_rule_judges_is_an_empty_suite() -> None:
    root = read(junit.render(replace(passing(), findings=passing().findings[:1], checks=errored().checks)))
    assert [s.attrib["name"] for s in root] == ["summaries"]
