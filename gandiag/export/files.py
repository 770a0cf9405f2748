"""Bundle: the folder that an export leaves: written whole or not at all, read back only where every byte is as it was. No torch."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gandiag.errors import UsageError
from gandiag.export.contract import MAX_MODEL_BYTES, BundleError, Certificate, Contract
from gandiag.export.latents import draw_labels, draw_latents
from gandiag.export.parity import Reference
from gandiag.export.session import Provider, Session, open_session, run_in_batches

FORMAT = 1
MODEL, MANIFEST, SUMS, REFERENCE = "model.onnx", "manifest.json", "SHA256SUMS", "reference.safetensors"
MAX_TEXT_BYTES = 16 * 2**20  # a manifest or a list of sums beyond this is no export's
MAX_FILE_BYTES = MAX_MODEL_BYTES + 2**20
MAX_FILES = 64
REFERENCE_BYTES = 8 * 2**20  # what torch's exact values for verify may take
_SUM_LINE = re.compile(r"([0-9a-f]{64})  ([\x20-\x7e]+)")


@dataclass(frozen=True)
class Bundle:
    """An exported generator on disk; `certificates` are those of its manifest, in order."""

    path: Path
    manifest: Mapping[str, Any]
    certificates: tuple[Certificate, ...]

    @cached_property
    def contract(self) -> Contract:
        """What goes in and what comes out."""
        return Contract.from_json(self.manifest["contract"])

    @property
    def certified(self) -> bool:
        """True where no certificate failed."""
        return all(one.passed is not False for one in self.certificates)

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / MODEL

    def certificate(self, name: str) -> Certificate:
        """Returns one certificate by name; KeyError where the bundle has none of it."""
        for one in self.certificates:
            if one.name == name:
                return one
        raise KeyError(name)

    def session(self, provider: Provider = "auto", threads: int = 0) -> Session:
        """Opens the model in ONNX Runtime after its checksum has been compared with the manifest's."""
        from gandiag.export.structure import read_model

        model = read_checked(self.path / MODEL, self.manifest["files"][MODEL]["sha256"])
        read_model(model)
        return open_session(model, provider, threads)

    def sample(self, count: int, *, seed: int = 0, batch: int = 64, provider: Provider = "auto") -> np.ndarray:
        """Returns `count` samples as the file gives them: images (n, c, h, w) float or (n, h, w, c) bytes, or points (n, d); classes in turn."""
        if count < 1:
            raise UsageError(f"count is {count}: ask for at least one sample")
        contract = self.contract
        session = self.session(provider)
        return run_in_batches(
            session,
            draw_latents(contract, count, seed),
            draw_labels(contract, count, seed),
            contract.batch or min(batch, count),
        )


# ----------------------------------------------------------------------------------------------------------- reading


def open_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Opens a bundle whose every byte is as it was written; raises BundleError naming the first file that is not."""
    folder = Path(path)
    if not folder.exists():
        raise BundleError(f"{folder} does not exist; give the folder that `gandiag export -o` wrote")
    if not (folder / MANIFEST).is_file():
        raise BundleError(
            f"{folder} is no bundle: it has no {MANIFEST}. Give the folder that `gandiag export -o` wrote"
        )
    sums = _read_sums(folder)
    present = _files_in(folder)
    if missing := sorted(set(sums) - present):
        raise BundleError(f"{missing[0]} is missing from {folder}: export again, or copy the bundle whole")
    if extra := sorted(present - set(sums) - {SUMS}):
        raise BundleError(f"{extra[0]} in {folder} is not part of the bundle: take it away")
    for name, digest in sums.items():
        if hashlib.sha256(_read(folder / name)).hexdigest() != digest:
            raise BundleError(f"{name} was changed: its SHA-256 is not the one in {SUMS}")
    return _bundle(folder, sums)


def read_checked(file: Path, sha256: str) -> bytes:
    """Reads a file whose checksum is known; raises BundleError where it is another."""
    data = _read(file)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BundleError(f"{file.name} was changed: its SHA-256 is not the manifest's")
    return data


def read_reference(bundle: Bundle) -> tuple[Reference, tuple[np.ndarray, np.ndarray]]:
    """Returns what the export left for verify: torch's exact values for some latents, and mean and covariance of its samples' features."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = read_checked(bundle.path / REFERENCE, bundle.manifest["files"][REFERENCE]["sha256"])
    try:
        arrays, about = load(data), bundle.manifest["reference"]
        floors = float(about["floor"]), float(about["extreme_floor"])
        reference = Reference(arrays["z"], arrays.get("label"), arrays["exact"], None, *floors, int(about["extremes"]))
        moments = arrays["quality_mean"], arrays["quality_covariance"]
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise BundleError(f"{REFERENCE} cannot be read ({type(error).__name__}): export again") from error
    _check_reference(reference, bundle.contract)
    width = len(moments[0])
    if (
        moments[0].shape != (width,)
        or moments[1].shape != (width, width)
        or not all(np.isfinite(one).all() for one in moments)
    ):
        raise BundleError(f"{REFERENCE} holds no moments of torch's samples: export again")
    return reference, moments


def _check_reference(reference: Reference, contract: Contract) -> None:
    rows = len(reference.latents)
    labels = (
        reference.labels is None
        if contract.num_classes is None
        else reference.labels is not None and reference.labels.shape == (rows,)
    )
    shapes = reference.latents.shape[1:] == contract.latent_shape and reference.exact.shape == (
        rows,
        *contract.output_shape,
    )
    floors = 0 < reference.floor < 1e30 and 0 < reference.extreme_floor < 1e30
    if not (labels and shapes and floors and 0 <= reference.extremes < rows):
        raise BundleError(f"{REFERENCE} does not fit the manifest's contract: export again")


def _bundle(folder: Path, sums: Mapping[str, str]) -> Bundle:
    try:
        manifest = json.loads(_read(folder / MANIFEST, MAX_TEXT_BYTES))
        listed = {name: one["sha256"] for name, one in manifest["files"].items()}
        certificates = tuple(Certificate(**one) for one in manifest["certificates"])
        version = manifest["format"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"{MANIFEST} of {folder} is damaged: {type(error).__name__}: {error}") from error
    if version != FORMAT:
        raise BundleError(f"{folder} has bundle format {version!r}; this gandiag reads format {FORMAT}")
    if {**listed, MANIFEST: sums.get(MANIFEST)} != dict(sums) or not {MODEL, REFERENCE} <= set(listed):
        raise BundleError(f"{MANIFEST} and {SUMS} of {folder} do not list the same files with the same sums")
    bundle = Bundle(folder, manifest, certificates)
    bundle.contract  # noqa: B018 - read now, so that a damaged contract is told here
    return bundle


def _read_sums(folder: Path) -> dict[str, str]:
    file = folder / SUMS
    if not file.is_file():
        raise BundleError(f"{SUMS} is missing from {folder}: export again, or copy the bundle whole")
    text = _read(file, MAX_TEXT_BYTES).decode("utf-8", "replace")
    sums: dict[str, str] = {}
    for line in text.splitlines():
        match = _SUM_LINE.fullmatch(line)
        if match is None or not _is_inside(match[2]) or match[2] in sums:
            raise BundleError(f"{SUMS} of {folder} holds a line that no export writes: {line[:100]!r}")
        sums[match[2]] = match[1]
    if text != sums_text(sums) or len(sums) > MAX_FILES:
        raise BundleError(f"{SUMS} of {folder} was changed: it is not in the form that an export writes")
    return sums


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return "\\" not in name and ":" not in name and all(part not in ("", ".", "..") for part in parts)


def _files_in(folder: Path) -> set[str]:
    found: set[str] = set()
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if (Path(where) / name).is_symlink():
                raise BundleError(f"{name} in {folder} is a link: a bundle holds plain files only")
        found |= {(Path(where) / name).relative_to(folder).as_posix() for name in files}
        if len(found) > 4 * MAX_FILES:
            raise BundleError(f"{folder} holds more files than a bundle has: is it another folder?")
    return found


def _read(file: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    if not file.is_file() or file.is_symlink():
        raise BundleError(f"{file.name} is no plain file")
    size = file.stat().st_size
    if size > limit:
        raise BundleError(
            f"{file.name} has {size / 1e6:.0f} MB, more than the {limit / 1e6:.0f} MB that a bundle may hold"
        )
    return file.read_bytes()


# ----------------------------------------------------------------------------------------------------------- writing


def check_target(out: str | os.PathLike[str], overwrite: bool) -> Path:
    """Returns the folder to write to; raises UsageError where it holds something, unless that is a bundle and may be replaced."""
    target = Path(out)
    if target.is_symlink() or target.is_file():
        raise UsageError(f"{target} is a file or a link: name a new folder for the bundle")
    if target.is_dir() and any(target.iterdir()):
        if not (target / SUMS).is_file() or not (target / MANIFEST).is_file():
            raise UsageError(f"{target} holds other files: name a new folder for the bundle")
        if not overwrite:
            raise UsageError(f"{target} holds a bundle already: name another folder, or say --overwrite")
    return target


def write_bundle(out: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Bundle:
    """Writes files, manifest and sums to a folder at once: a reader sees the whole bundle or none."""
    out.parent.mkdir(parents=True, exist_ok=True)
    full = {
        **manifest,
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in sorted(files.items())
        },
    }
    whole = {**files, MANIFEST: (json.dumps(full, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()}
    sums = sums_text({name: hashlib.sha256(data).hexdigest() for name, data in whole.items()})
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for name, data in {**whole, SUMS: sums.encode()}.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(data)
        os.chmod(scratch, 0o755)  # mkdtemp makes folders for one user only
        _put_in_place(scratch, out)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return Bundle(out, full, tuple(Certificate(**one) for one in full["certificates"]))


def sums_text(sums: Mapping[str, str]) -> str:
    """Returns the text of SHA256SUMS, as `sha256sum -c` reads it."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def reference_to_keep(reference: Reference) -> Reference:
    """Returns as many rows of torch's exact values as fit into REFERENCE_BYTES (at least one), at most 64 and the extreme ones."""
    rows = REFERENCE_BYTES // (reference.exact[0].nbytes + reference.latents[0].nbytes)
    return reference.head(
        max(1, min(64, rows - reference.extremes)), extremes=reference.extremes if rows > reference.extremes else 0
    )


def reference_bytes(kept: Reference, extra: Mapping[str, np.ndarray]) -> bytes:
    """Returns torch's exact values, and what else verify needs, as safetensors."""
    from safetensors.numpy import save

    arrays = (
        {"z": kept.latents, "exact": kept.exact} | ({} if kept.labels is None else {"label": kept.labels}) | dict(extra)
    )
    return bytes(save({name: np.ascontiguousarray(value) for name, value in arrays.items()}))


def certificate_json(certificate: Certificate) -> dict[str, Any]:
    """Returns a certificate as JSON-ready data, numbers that JSON lacks as words."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(certificate), default=str), parse_constant=str)
    return plain


def _put_in_place(scratch: Path, out: Path) -> None:
    if not out.exists():
        os.replace(scratch, out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
    os.replace(out, old / out.name)
    os.replace(scratch, out)
    shutil.rmtree(old, ignore_errors=True)
