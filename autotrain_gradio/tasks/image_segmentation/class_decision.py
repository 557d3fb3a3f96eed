"""Decide which values or colours of masks are which classes, and report what was assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import count_with_verb, join_examples, pluralize
from autotrain_gradio.tasks.image_segmentation.mask_classes import (
    BINARY,
    IGNORE,
    MOST_CLASSES,
    OTHERS,
    Classes,
    Totals,
    as_form,
    is_grey,
    names_of,
    parse_table,
    smoothed,
    without_noise,
)
from autotrain_gradio.tasks.image_segmentation.mask_files import COLOUR, parse, show

NAMES, IGNORED, OTHER, PIXELS, ROTATE = "class_names", "ignore_values", "other_pixels", "mask_pixels", "rotate_masks"
FORMS = ("values", "colours")
FEW_OTHERS = 0.02
"""Share of pixels of no class up to which they are assigned to the nearest class, if they are blends."""


@dataclass
class Decision:
    """The classes and findings about them. classes: None where the data needs a correction first.

    pixels: value or colour (in the form of the classes) → pixels of all masks.
    """

    classes: Classes | None
    findings: list[Finding]
    pixels: Counter[int]


def decide(totals: Totals, declared: list[dict[str, Any]], options: Mapping[str, Any], where: str) -> Decision:
    """Decide about the classes of masks.

    declared: classes that the data names: `{"name", "value"?, "colour"?}`, without values in the order of their
        numbers.
    where: the column, for messages.

    Raises:
        DataError: an option is invalid.
    """
    asked = options.get(OTHER)
    if asked and asked not in OTHERS:
        raise _invalid(OTHER, asked, OTHERS)
    table = parse_table(_many(options.get(NAMES)), f"data.options.{NAMES}") or declared
    form, findings = _form(totals, table, options)
    pixels = totals.colours if form == "colours" else as_form(totals.pixels, form, {})
    made = _Decider(totals, table, options, where, form, pixels, asked)
    classes = made.run()
    return Decision(classes, findings + made.findings, pixels)


def _form(totals: Totals, table: list[dict[str, Any]], options: Mapping[str, Any]) -> tuple[str, list[Finding]]:
    """Return the form, values unless there are colours that are not grey, and findings."""
    asked, where = options.get(PIXELS), f"data.options.{PIXELS}"
    if asked:
        if asked not in FORMS:
            raise _invalid(PIXELS, asked, FORMS)
        return str(asked), []
    coloured = any(not is_grey(v) for v in totals.pixels)
    mixed = {v: c for v, c in totals.palettes.items() if len(c) > 1}
    if mixed and not coloured:
        value, colours = next(iter(mixed.items()))
        shown = join_examples([show(c) for c in sorted(colours)], limit=3)
        message = (
            f"The palettes of {pluralize(totals.palette_images, 'mask')} differ: the value {value} is {shown}. The "
            "colours are used as classes, not the values."
        )
        fix = Fix("Use the values instead", {"options": {PIXELS: "values"}}, "The colours of the palettes are ignored.")
        hint = "Check the masks in the preview."
        return "colours", [Finding("warning", "mask-palettes-differ", message, hint, where, alternatives=(fix,))]
    by_colour = any(e.get("colour") is not None or int(e.get("value") or 0) >= COLOUR for e in table)
    if by_colour and totals.palette_images and all(int(e.get("value") or COLOUR) >= COLOUR for e in table):
        return "colours", []
    return "colours" if coloured else "values", []


def _many(value: Any) -> list[Any]:
    if value in (None, ""):
        return []
    return [*value] if isinstance(value, list | tuple) else str(value).split(",")


def _invalid(option: str, value: Any, known: tuple[str, ...]) -> DataError:
    message = f"'{value}' is not a value of {option}."
    return DataError(message, did_you_mean(str(value), known), f"data.options.{option}", "invalid-setting")


def _grey(colour: Any) -> int | None:
    """Return the value of a grey colour (0xRRGGBB): a mask in such colours has it as its values. None: another one."""
    if colour is None or len({(number := int(colour)) >> 16, number >> 8 & 255, number & 255}) != 1:
        return None
    return number & 255


class _Decider:
    """The decision in one form. pixels: value or colour → pixels. asked: the option `other_pixels`."""

    def __init__(
        self,
        totals: Totals,
        table: list[dict[str, Any]],
        options: Mapping[str, Any],
        where: str,
        form: str,
        pixels: Counter[int],
        asked: str | None,
    ) -> None:
        self.totals, self.options, self.where, self.form, self.pixels, self.asked = (
            totals, options, where, form, pixels, asked,
        )  # fmt: skip
        self.total = sum(pixels.values())
        self.findings: list[Finding] = []
        self.entries = self._entries(table)

    def _entries(self, table: list[dict[str, Any]]) -> dict[int, str]:
        """Return value or colour → name, as the data or the option declares them."""
        made: dict[int, str] = {}
        greys = [_grey(entry.get("colour")) for entry in table]
        if self.form == "values" and None not in greys and set(self.pixels) <= {*greys, IGNORE}:
            return {grey: str(e["name"]) for grey, e in zip(greys, table, strict=True) if grey is not None}
        for number, entry in enumerate(table):
            value, colour = entry.get("value"), entry.get("colour")
            if self.form == "colours":
                key = COLOUR + int(colour) if colour is not None else value if value and value >= COLOUR else None
            else:
                key = number if value is None else int(value)
                key = (key - COLOUR) & 255 if key >= COLOUR else key
            if key is not None:
                made.setdefault(key, str(entry["name"]))
        return made

    def run(self) -> Classes | None:
        """Return the classes; None after an error finding."""
        if self.totals.jpeg and self.asked is None:
            self.findings.append(self._jpeg())
            return None
        ignored = self._ignored()
        counted = {v: n for v, n in self.pixels.items() if v not in ignored}
        if not counted:
            message, hint = "All pixels of the masks are ignored.", f"Change {IGNORED}."
            self.findings.append(Finding("error", "mask-all-ignored", message, hint, f"data.options.{IGNORED}"))
            return None
        if self.entries:
            return self._with_table(ignored, counted)
        return self._without_table(ignored, counted)

    def _ignored(self) -> set[int]:
        """Return the values that are ignored: those of the option, else 255 where it is beside other values."""
        asked, where = _many(self.options.get(IGNORED)), f"data.options.{IGNORED}"
        if asked:
            if [str(a).strip().lower() for a in asked] == ["none"]:
                return set()
            found = {parse(str(a)) for a in asked}
            if None in found:
                message = f"'{next(a for a in asked if parse(str(a)) is None)}' is neither a value nor a colour."
                raise DataError(message, "Write 255, or #ffffff.", where, "invalid-setting")
            return {v for v in found if v is not None}
        values = [v for v in self.pixels if v != IGNORE]
        if self.form != "values" or IGNORE not in self.pixels or IGNORE in self.entries or values in ([0], []):
            return set()
        if smoothed(self.pixels, self.form) or self.totals.jpeg:
            return set()
        share = 100 * self.pixels[IGNORE] / self.total
        message = f"The value 255 ({share:.2g} % of the pixels) is ignored: it is neither learned nor evaluated."
        fix = Fix("Make 255 a class", {"options": {IGNORED: ["none"]}}, "With this choice, 255 is a class like others.")
        self.findings.append(Finding("info", "mask-ignored-value", message, "", where, alternatives=(fix,)))
        return {IGNORE}

    def _jpeg(self) -> Finding:
        distinct = len(self.pixels)
        message = (
            f"{count_with_verb(len(self.totals.jpeg), 'mask', 'is')} saved as JPEG, whose compression changes pixels: "
            f"there are {pluralize(distinct, 'value')} instead of a few classes."
        )
        hint = "Export the masks again as PNG. If that is not possible, use the nearest frequent value."
        change = {"options": {OTHER: "nearest"}}
        fix = Fix("Use the nearest frequent value", change, "Outlines become less exact, and rare classes may be lost.")
        return Finding("error", "mask-jpeg", message, hint, self.where, fix)

    def _with_table(self, ignored: set[int], counted: dict[int, int]) -> Classes | None:
        entries = {v: n for v, n in self.entries.items() if v not in ignored}
        counting = self.form == "values" and list(entries) == list(range(len(entries)))
        if counting and (self.totals.jpeg or max(counted) >= len(entries)):
            clean = without_noise(counted, self.form) if self.totals.jpeg else (smoothed(counted, self.form) or [[]])[0]
            if clean and len(clean) == len(entries):
                return self._by_rank(entries, ignored, clean)
            if self.totals.jpeg:
                self.findings.append(self._jpeg_lost(len(entries)))
                return None
        unknown = {v: n for v, n in counted.items() if v not in entries}
        if self.form == "values" and self._starts_at_one(entries, counted):
            entries = {v + 1: n for v, n in entries.items()}
            unknown = {v: n for v, n in counted.items() if v not in entries}
            ignored = ignored | {0}
            message = (
                f"The data names {pluralize(len(entries), 'class', 'classes')}, and the values of the masks are 0 to "
                f"{max(counted)}: 1 is '{entries[1]}', and 0 (no class) is ignored."
            )
            hint = "Check the masks in the preview."
            names = ["background", *entries.values()]
            fix = Fix("Make 0 a class: background", {"options": {NAMES: names}}, "With this choice, 0 is learned too.")
            finding = Finding("info", "mask-starts-at-one", message, hint, self.where, alternatives=(fix,))
            self.findings.append(finding)
            unknown.pop(0, None)
        if unknown and not self._binary(entries, unknown):
            return self._unknown(entries, ignored, counted, unknown)
        if unknown:  # 0 and 255 with two names
            entries = dict(zip((0, BINARY), entries.values(), strict=True))
        return self._classes(entries, ignored, "ignore")

    def _by_rank(self, entries: dict[int, str], ignored: set[int], clean: list[int]) -> Classes | None:
        """Return as many named classes as there are frequent values (0 and 255), in the order of these."""
        made = dict(zip(clean, entries.values(), strict=True))
        shown = join_examples([f"{show(v)} is '{n}'" for v, n in made.items()])
        others = self.asked or "nearest"
        does = "ignored" if others == "ignore" else "assigned to the nearest of them"
        message = (
            f"The masks have {pluralize(len(clean), 'frequent value')}: {shown}. The values between them are {does}."
        )
        self.findings.append(self._smoothed_finding(message))
        return self._classes(made, ignored, others)

    def _jpeg_lost(self, count: int) -> Finding:
        message = f"The JPEG masks do not have the values of the {pluralize(count, 'class', 'classes')} any more."
        return Finding("error", "mask-jpeg", message, "Export the masks again as PNG.", self.where)

    def _starts_at_one(self, entries: dict[int, str], counted: dict[int, int]) -> bool:
        count = len(entries)
        plain = list(entries) == list(range(count))
        unnamed = not any(name.strip("_ ").lower() in {"background", "bg", "other"} for name in entries.values())
        return plain and max(counted) == count and unnamed and count > 1

    def _binary(self, entries: dict[int, str], unknown: dict[int, int]) -> bool:
        return self.form == "values" and list(entries) == [0, 1] and set(unknown) == {BINARY} and 1 not in self.pixels

    def _unknown(
        self, entries: dict[int, str], ignored: set[int], counted: dict[int, int], unknown: dict[int, int]
    ) -> Classes | None:
        """Decide about pixels whose value is none of the declared classes."""
        share = sum(unknown.values()) / self.total
        shown = join_examples([f"{show(v)} ({n:,} pixels)" for v, n in Counter(unknown).most_common(5)], len(unknown))
        noun = "value" if self.form == "values" else "colour"
        first = f"{pluralize(len(unknown), noun)} of the masks ({100 * share:.2g} % of the pixels)"
        if self.asked == "class":
            return self._classes({**entries, **{v: f"class {show(v)}" for v in sorted(unknown)}}, ignored, "ignore")
        if self.asked:
            does = "ignored" if self.asked == "ignore" else "assigned to the nearest class"
            message = f"{first} {'is' if len(unknown) == 1 else 'are'} none of the classes and {does}: {shown}."
            self.findings.append(Finding("info", "mask-other-pixels", message, "", f"data.options.{OTHER}"))
            return self._classes(entries, ignored, self.asked)
        blends = self.form == "colours" and share <= FEW_OTHERS and len(unknown) >= 3
        if blends:
            message = (
                f"{first} are none of the classes, as at smoothed edges, and assigned to the nearest class: {shown}."
            )
            self.findings.append(self._smoothed_finding(message))
            return self._classes(entries, ignored, "nearest")
        names = join_examples([f"{show(v)} {n}" for v, n in entries.items()], limit=6)
        message = f"{first} {'is' if len(unknown) == 1 else 'are'} none of the {len(entries)} classes: {shown}."
        hint = f"Correct the masks, or the list of the classes ({names})."
        fix = Fix("Ignore these pixels", {"options": {OTHER: "ignore"}}, "They are neither learned nor evaluated.")
        other = Fix("Make each a class", {"options": {OTHER: "class"}}, "The new classes are named after their values.")
        near = Fix("Use the nearest class", {"options": {OTHER: "nearest"}}, "Right for pixels at smoothed edges.")
        self.findings.append(Finding("error", "mask-values-unknown", message, hint, self.where, fix, (other, near)))
        return None

    def _without_table(self, ignored: set[int], counted: dict[int, int]) -> Classes | None:
        others, values = "ignore", sorted(counted)
        blended = smoothed(counted, self.form)
        if self.totals.jpeg:
            values, others = without_noise(counted, self.form), str(self.asked)
        elif blended and self.asked != "class":
            values, others = blended[0], self.asked or "nearest"
            share = 100 * sum(counted[v] for v in blended[1]) / self.total
            noun = "value" if self.form == "values" else "colour"
            does = "ignored" if others == "ignore" else "assigned to the nearest class"
            message = (
                f"{pluralize(len(blended[1]), noun)} with {share:.2g} % of the pixels of the masks lie between "
                f"{len(values)} frequent ones, as at smoothed edges, and are {does}: "
                f"{join_examples([show(v) for v in blended[1]])}."
            )
            self.findings.append(self._smoothed_finding(message))
        elif len(values) > MOST_CLASSES or self.totals.hidden:
            self.findings.append(self._too_many(len(values)))
            return None
        if len(values) > MOST_CLASSES:
            self.findings.append(self._too_many(len(values)))
            return None
        names = names_of(values, self.form)
        self._report_names(values, names)
        return self._classes(dict(zip(values, names, strict=True)), ignored, others)

    def _report_names(self, values: list[int], names: list[str]) -> None:
        where, listed = f"data.options.{NAMES}", join_examples([show(v) for v in values], limit=8)
        if names[:1] == ["background"]:
            message = f"The masks have two values, {listed}: 0 is taken as background, the other as foreground."
            self.findings.append(Finding("info", "mask-binary", message, "", where))
            return
        noun = "values" if self.form == "values" else "colours"
        count = pluralize(len(values), "class", "classes")
        message = f"The data does not name its {count}: the {noun} {listed} are used as names."
        hint = "Add classes.txt with a name in each line, so that predictions show them."
        if self.form == "colours":
            hint = "Add class_dict.csv with the columns name, r, g, b, so that predictions show names."
        elif gaps := sorted(set(range(max(values) + 1)) - set(values)):
            hint += f" {join_examples([str(v) for v in gaps])} do not occur."
        self.findings.append(Finding("warning", "mask-classes-unnamed", message, hint, where))

    def _smoothed_finding(self, message: str) -> Finding:
        fixes = [
            Fix("Ignore these pixels", {"options": {OTHER: "ignore"}}, "The edges are then not learned."),
            Fix("Make each a class", {"options": {OTHER: "class"}}, "Only if they are no edges."),
        ]
        if self.asked == "ignore":
            fixes[0] = Fix("Use the nearest class", {"options": {OTHER: "nearest"}}, "The edges are then learned too.")
        hint = "Export masks without anti-aliasing for exact edges."
        return Finding("warning", "mask-smoothed", message, hint, f"data.options.{OTHER}", alternatives=tuple(fixes))

    def _too_many(self, count: int) -> Finding:
        noun, more = "values" if self.form == "values" else "colours", " and more" if self.totals.hidden else ""
        message = f"The masks have {count:,}{more} {noun}; at most {MOST_CLASSES} classes are supported."
        hint = "Are these photos, depth maps or numbers of instances? A mask has the number of its class at each pixel."
        return Finding("error", "mask-too-many-values", message, hint, self.where)

    def _classes(self, entries: dict[int, str], ignored: set[int], others: str) -> Classes | None:
        """Return the classes in the order of their values; entries of one name are one class."""
        if len(entries) > MOST_CLASSES:
            self.findings.append(self._too_many(len(entries)))
            return None
        names = list(dict.fromkeys(entries.values()))
        if len(names) < 2:
            message = f"The masks have a single class, '{names[0]}': there is nothing to tell apart."
            hint = "Are other pixels ignored? Then make them a class." if ignored else "Annotate a second class."
            self.findings.append(Finding("error", "mask-one-class", message, hint, self.where))
            return None
        table = {value: names.index(name) for value, name in entries.items()}
        rotate = "all" if str(self.options.get(ROTATE) or "").lower() in {"true", "1", "yes"} else "swapped"
        return Classes(self.form, names, table, sorted(ignored), others, rotate)  # type: ignore[arg-type]
