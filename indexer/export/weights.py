"""Weights on their way into a graph: each written to a file as soon as it is made, none kept."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from onnx import TensorProto, helper

from problem import Problem

# A protocol buffer ends at 2 GiB; the rest of the graph is far below the difference.
MOST_INSIDE = 2_000_000_000
# Blocks of a file that can be mapped begin at pages.
ALIGNMENT = 4096
# What is smaller stays in the graph whatever is asked: shapes and constants must be there to be read.
LEAST_OUTSIDE = 1024
# Weights of a row that share a scale in 8 bits.
BLOCK = 64
# Rows that are rounded at once: what lies beside a matrix meanwhile is a small part of it.
ROWS = 4096


class Weights:
    """Initializers of a graph. Large ones go to the data file, and back into the graph at the end if it is small."""

    def __init__(self, data: Path, precision: str):
        self.data = data
        self.precision = precision
        self.tensors: list[TensorProto] = []
        self._file: BinaryIO = data.open("wb")
        self._names: set[str] = set()

    @property
    def matmul_type(self) -> int:
        """The type in which matrices are multiplied."""
        return TensorProto.FLOAT16 if self.precision == "fp16" else TensorProto.FLOAT

    def add(self, name: str, value: np.ndarray) -> str:
        """An initializer of this name; a name given twice is one initializer."""
        if name in self._names:
            return name
        self._names.add(name)
        value = np.asarray(value, order="C")
        tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(value.dtype), dims=value.shape)
        if value.nbytes < LEAST_OUTSIDE:
            tensor.raw_data = value.tobytes()
        else:
            offset = -(-self._file.tell() // ALIGNMENT) * ALIGNMENT
            self._file.seek(offset)
            value.tofile(self._file)
            tensor.data_location = TensorProto.EXTERNAL
            for key, said in (("location", self.data.name), ("offset", offset), ("length", value.nbytes)):
                tensor.external_data.add(key=key, value=str(said))
        self.tensors.append(tensor)
        return name

    def matrix(self, name: str, value: np.ndarray) -> str:
        """A matrix in the type in which it is multiplied."""
        if self.precision != "fp16":
            return self.add(name, value)
        greatest = max(float(value.max()), -float(value.min()))
        if greatest > np.finfo(np.float16).max:
            raise Problem(
                f"{name} has the value {greatest:g}, which float16 cannot hold. Export with --precision fp32."
            )
        return self.add(name, value.astype(np.float16))

    def blocks(self, name: str, value: np.ndarray) -> tuple[str, str]:
        """
        A matrix `[out, in]` in 8 bits: unsigned values around 128 `[out, blocks, BLOCK]` and their
        float32 scales `[out, blocks]`, symmetric, each block's greatest value exact to half a step.
        """
        if f"{name}.values" not in self._names:
            out, inner = value.shape
            count = -(-inner // BLOCK)
            values = np.empty((out, count, BLOCK), np.uint8)
            scales = np.empty((out, count), np.float32)
            for start in range(0, out, ROWS):
                rows = value[start : start + ROWS]
                padded = np.zeros((len(rows), count * BLOCK), np.float32)
                padded[:, :inner] = rows
                padded = padded.reshape(len(rows), count, BLOCK)
                step = np.abs(padded).max(axis=2, keepdims=True) / 127
                steps = np.divide(padded, step, out=np.zeros_like(padded), where=step > 0)
                values[start : start + ROWS] = np.rint(steps) + 128
                scales[start : start + ROWS] = step[:, :, 0]
            self.add(f"{name}.values", values)
            self.add(f"{name}.scales", scales)
        return f"{name}.values", f"{name}.scales"

    def close(self, external: bool) -> None:
        """Ends the data file; without `external` its content moves into the graph where it fits."""
        size = self._file.tell()
        self._file.close()
        if not external and size <= MOST_INSIDE:
            with self.data.open("rb") as file:
                for tensor in self.tensors:
                    if tensor.data_location == TensorProto.EXTERNAL:
                        said = {entry.key: entry.value for entry in tensor.external_data}
                        file.seek(int(said["offset"]))
                        tensor.raw_data = file.read(int(said["length"]))
                        del tensor.external_data[:]
                        tensor.data_location = TensorProto.DEFAULT
            size = 0
        if size == 0:
            self.data.unlink()


def as_numpy(tensor) -> np.ndarray:
    """A parameter's values in float32."""
    return tensor.detach().to("cpu").float().numpy()
