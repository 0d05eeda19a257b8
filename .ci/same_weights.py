"""How far are two models' weights apart? The files are two .npz that gradus wrote; Python alone reads them.

same_weights.py A.npz B.npz TOLERANCE: of each array, the largest difference as a share of the array's
largest number; fails above TOLERANCE."""
import array, ast, math, sys, zipfile


def read(name):
    arrays = {}
    with zipfile.ZipFile(name) as archive:
        for member in archive.namelist():
            raw = archive.read(member)
            start = 10 if raw[6] == 1 else 12
            length = int.from_bytes(raw[8:start], "little")
            header = ast.literal_eval(raw[start : start + length].decode("latin1"))
            assert header["descr"] == "<f4", f"{name}: {member} is {header['descr']}, expected <f4"
            numbers = array.array("f", raw[start + length :])
            arrays[member.removesuffix(".npy")] = (header["shape"], numbers)
    return arrays


a, b, tolerance = read(sys.argv[1]), read(sys.argv[2]), float(sys.argv[3])
assert a and a.keys() == b.keys(), f"{sorted(b)}, expected {sorted(a)}"
worst, where, alike, count = 0.0, "none", 0, 0
for name, (shape, x) in a.items():
    assert shape == b[name][0], f"{name}: {b[name][0]}, expected {shape}"
    y = b[name][1]
    for i in (*x, *y):
        assert math.isfinite(i), f"{name} has {i}"
    far = max(abs(i - j) for i, j in zip(x, y)) / max(max(map(abs, x)), 1e-30)
    alike += sum(i == j for i, j in zip(x, y))
    count += len(x)
    if far > worst:
        worst, where = far, name
print(f"{len(a)} arrays, {alike} of {count} numbers the same to the bit; largest difference {worst:.2g} ({where})")
sys.exit(0 if worst <= tolerance else f"more than {tolerance:g}")
