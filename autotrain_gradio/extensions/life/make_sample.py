"""Make the sample export of the LiFE App: `python -m autotrain_gradio.extensions.life.make_sample`.

Short Hindi sentences in three synthetic voices, in the form in which LiFE exports a project as JSON with its audio:
one document and one WAV a recording. The first recording was cut into two slices that overlap. There are transcripts
in Devanagari and in IPA, by two annotators and by a model; all people are invented. Needs the program espeak-ng,
numpy, soundfile and soxr. What comes out is public domain.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

FOLDER = Path(__file__).parent / "sample"
PROJECT = "village_stories"
RATE = 16_000
GAP_SECONDS = 0.25
OVERLAP_SECONDS = 0.5
VOICES = {"asha_f_34": ("hi+f2", 55, 150), "mohan_m_61": ("hi", 35, 140), "leela_f_22": ("hi+f4", 70, 165)}
"""LiFE's `speakerId` → espeak-ng's voice, pitch (0 to 99) and words a minute."""
ANNOTATORS = ("kavita", "imran")
MODEL = "@model##whisper-small##imran"
STORIES: dict[str, list[list[str]]] = {
    "asha_f_34": [
        ["मेरा गाँव नदी के पास है", "यहाँ आम के पेड़ हैं", "सुबह हवा ठंडी है", "बच्चे नदी में खेलते हैं", "नाव घाट पर है"],
        ["आज बाज़ार है", "मैं दूध लाती हूँ"],
    ],
    "mohan_m_61": [["मेरा घर पुराना है", "घर में दो गाय हैं", "आज पानी बहुत है", "नदी में नाव है"]],
    "leela_f_22": [["आम मीठा है", "बच्चे घर में हैं", "सुबह बाज़ार में दूध है"]],
}


def say(text: str, speaker: str) -> np.ndarray[Any, Any]:
    """Return a sentence as samples of shape (n,), float64, without the silence around it."""
    voice, pitch, speed = VOICES[speaker]
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout", text]
    samples, rate = soundfile.read(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout))
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[loud[0] : loud[-1] + 1]
    return 0.8 * soxr.resample(samples, rate, RATE)


def ipa(text: str) -> str:
    """Return the sounds of a sentence."""
    command = ["espeak-ng", "-q", "-v", "hi", "--ipa", text]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return " ".join(output.replace("ˈ", "").replace("ˌ", "").split())


def boundary(number: int, start: float, end: float, speaker: str, texts: dict[str, str]) -> dict[str, Any]:
    """Create a boundary in LiFE's format."""
    return {
        "start": start,
        "end": end,
        "speakerId": speaker,
        "sentenceId": f"S{number:04}",
        "transcription": texts,
        "translation": {},
        "sentencemorphemicbreak": {},
        "morphemes": {},
        "gloss": {},
        "pos": {},
        "tags": "",
    }


def grid(boundaries: list[dict[str, Any]]) -> dict[str, Any]:
    """Create a `textGrid`; the ids of boundaries look like times, but are not."""
    sentence = {f"{(n + 7) * 1_234_567:014}": b for n, b in enumerate(boundaries)}
    return {"discourse": {}, "sentence": sentence, "word": {}, "phoneme": {}}


def document(audio: str, speaker: str, rows: list[tuple[float, float, str]], seconds: float, info: Any) -> Any:
    """Create a recording's document. The second annotator has no IPA; the machine output is incomplete."""

    def layer(change: Any) -> dict[str, Any]:
        return grid([boundary(n, s, e, "", change(n, text)) for n, (s, e, text) in enumerate(rows)])

    both = layer(lambda n, text: {"Devanagari": text, "IPA": ipa(text)})
    return {
        "projectname": PROJECT,
        "username": ANNOTATORS[0],
        "audioId": audio.partition("_")[0],
        "audioFilename": audio,
        "lifesourceid": f"src_{speaker}",
        "speakerId": speaker,
        "prompt": "",
        "transcriptionFLAG": 1,
        "audiodeleteFLAG": 0,
        "audioverifiedFLAG": 0,
        "additionalInfo": info,
        "audioMetadata": {"audioDuration": seconds, "currentSliceDuration": seconds, "audiowaveform": {}},
        "textGrid": both,
        ANNOTATORS[0]: {"textGrid": both, "audioCompleteFLAG": 1},
        ANNOTATORS[1]: {"textGrid": layer(lambda n, text: {"Devanagari": text}), "audioCompleteFLAG": 0},
        MODEL: {
            "textGrid": layer(lambda n, text: {"Devanagari": " ".join(text.split()[: 2 + n % 3])}),
            "updatedBy": ANNOTATORS[1],
            "updatedAt": "2024-03-02 10:15:00",
            "modelMetadata": {},
        },
    }


def write(audio: str, samples: np.ndarray[Any, Any], speaker: str, rows: Any, **info: Any) -> None:
    """Write a recording's WAV and JSON."""
    seconds = round(len(samples) / RATE, 3)
    # Eight bits a sample on a curve, as on the telephone: half the size, and still WAV.
    soundfile.write(FOLDER / audio, samples, RATE, subtype="ULAW")
    filled = {"totalSlices": 1, "currentSliceNumber": 1, "boundaryOffsetValue": 0.0, "sliceOffsetValue": 0.0, **info}
    made = document(audio, speaker, rows, seconds, filled)
    text = json.dumps(made, ensure_ascii=False, indent=1)
    (FOLDER / audio).with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Write the sample."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    number = 20240301101500
    gap = np.zeros(int(GAP_SECONDS * RATE))
    for speaker, stories in STORIES.items():
        for story, sentences in enumerate(stories):
            number += 137
            parts, rows, at = [gap], [], GAP_SECONDS
            for sentence in sentences:
                spoken = say(sentence, speaker)
                rows.append((round(at, 3), round(at + len(spoken) / RATE, 3), sentence))
                parts += [spoken, gap]
                at += len(spoken) / RATE + GAP_SECONDS
            samples = np.concatenate(parts)
            if speaker == "asha_f_34" and story == 0:
                slices(f"A{number}", samples, speaker, rows)
            else:
                write(f"A{number}_{speaker}_{story}.wav", samples, speaker, rows)
    files = list(FOLDER.iterdir())
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files) / 1000:.0f} kB")


def slices(own: str, samples: np.ndarray[Any, Any], speaker: str, rows: list[tuple[float, float, str]]) -> None:
    """Write a recording as two slices, as LiFE cuts long ones: their times begin at their own starts."""
    middle = rows[2][1] + GAP_SECONDS / 2
    begin = middle - OVERLAP_SECONDS
    cuts = [(0.0, middle, rows[:3]), (begin, len(samples) / RATE, rows[3:])]
    for number, (start, end, inside) in enumerate(cuts):
        part = samples[int(start * RATE) : int(end * RATE)]
        moved = [(round(s - start, 3), round(e - start, 3), text) for s, e, text in inside]
        write(
            f"{own}-slice{number:04}_{speaker}_0.wav",
            part,
            speaker,
            moved,
            totalSlices=2,
            currentSliceNumber=number + 1,
            boundaryOffsetValue=round(start, 3),
            sliceOffsetValue=round(start, 3),
            sliceOverlapRegion=OVERLAP_SECONDS,
            isSliceOf=own,
        )


if __name__ == "__main__":
    main()
