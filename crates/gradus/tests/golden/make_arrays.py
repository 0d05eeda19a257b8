"""Makes arrays.npz and fortran.npy: the same numbers in every type that gradus reads.

    python make_arrays.py        (NumPy 2.4)
"""

import numpy

numbers = numpy.arange(24).reshape(4, 2, 3)
kinds = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]
arrays = {
    kind + order: numbers.astype(("<" if order == "_little" else ">") + kind)
    for kind in kinds
    for order in ("_little", "_big")
}
arrays["fortran_u1"] = numpy.asfortranarray(numbers.astype("u1"))
arrays["fortran_f8"] = numpy.asfortranarray(numbers.astype(">f8"))
arrays["bool"] = numbers % 2 == 1
numpy.savez_compressed("arrays.npz", **arrays)
numpy.save("fortran.npy", numpy.asfortranarray(numbers.astype("i8")))
