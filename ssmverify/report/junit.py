"""`ssmverify check --junit FILE`: a test case for each row, as CI servers read them."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections.abc import Sequence
from pathlib import Path

from ssmverify.errors import one_line
from ssmverify.verdict import Verdict

LONGEST = 2000  # characters of a message


def write(file: Path, rows: Sequence[str], verdicts: Sequence[Verdict], seed: int, seconds: float) -> None:
    """Write what was found of the rows. Raises OSError if the file cannot be written.

    Problems are failures; what was cut short, or not reached, is an error; of what nothing was checked is skipped.
    """
    found = {verdict.theorem: verdict for verdict in verdicts}
    cases = [_case(name, found.get(name)) for name in rows]
    counts = {name: str(sum(case.find(tag) is not None for case in cases)) for name, tag in COUNTED.items()}
    counts["tests"] = str(len(cases))
    whole = xml.Element("testsuites", counts, time=f"{seconds:.3f}")
    suite = xml.SubElement(whole, "testsuite", counts, name="ssmverify", time=f"{seconds:.3f}")
    xml.SubElement(xml.SubElement(suite, "properties"), "property", name="seed", value=str(seed))
    suite.extend(cases)
    xml.indent(whole)
    file.parent.mkdir(parents=True, exist_ok=True)
    xml.ElementTree(whole).write(file, encoding="utf-8", xml_declaration=True)


COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}  # the attribute, and what it counts


def _case(name: str, verdict: Verdict | None) -> xml.Element:
    """A row: its paper or file is the class. At most one of failure, error and skipped, as the schema wants it."""
    paper, _, short = name.rpartition(".")
    seconds = 0.0 if verdict is None else verdict.seconds
    case = xml.Element("testcase", classname=paper or name, name=short, time=f"{seconds:.3f}")
    if verdict is None:
        xml.SubElement(case, "error", message="not reached: the run was interrupted")
    elif verdict.problems:
        problems = [one_line(problem, LONGEST) for problem in verdict.problems]
        failure = xml.SubElement(case, "failure", message=problems[0])
        failure.text = "\n".join([*problems, f"seed {verdict.seed}"])
    elif verdict.undecided:
        where = f" (at: {verdict.because})" if verdict.because else ""
        xml.SubElement(case, "error", message=one_line(f"undecided: the time given ran out{where}", LONGEST))
    elif verdict.unchecked:
        xml.SubElement(case, "skipped", message=one_line(verdict.why_unchecked, LONGEST))
    return case
