"""Inputs for the comparison with real Keras: any numbers of the right shape will do."""
import sys
import numpy as np

random = np.random.default_rng(0)
np.save(f"{sys.argv[1]}/digits.npy", random.random((200, 8, 8), dtype=np.float32))
np.save(f"{sys.argv[1]}/fashion.npy", random.random((200, 28, 28), dtype=np.float32))
