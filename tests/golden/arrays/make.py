"""Writes arrays of each type and order with NumPy, and what they hold: python3 tests/golden/arrays/make.py"""

import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
values = np.arange(24).reshape(4, 2, 3)
labels = np.array([2, 0, 1, 2])

for name in ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]:
    np.save(f"{HERE}/{name}.npy", values.astype(name))
np.save(f"{HERE}/labels.npy", labels)
np.save(f"{HERE}/fortran.npy", np.asfortranarray(values.astype("float32")))
np.save(f"{HERE}/big_endian.npy", values.astype(">f4"))
np.save(f"{HERE}/half.npy", values.astype("float16"))
np.save(f"{HERE}/records.npy", np.zeros(4, dtype=[("a", "f4"), ("b", "i4")]))
with open(f"{HERE}/version_2.npy", "wb") as file:
    np.lib.format.write_array(file, values.astype("float32"), version=(2, 0))
with open(f"{HERE}/version_3.npy", "wb") as file:
    np.lib.format.write_array(file, values.astype("float32"), version=(3, 0))
np.savez(f"{HERE}/stored.npz", x=values.astype("float32") / 4, y=labels)
np.savez_compressed(f"{HERE}/compressed.npz", x=values.astype("float32") / 4, y=labels)
