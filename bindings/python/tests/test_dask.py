"""dask over proxies, in threads and in other processes."""

import dask.array
import nibabel
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster

import arrayproxy


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    rng = np.random.default_rng(3)
    data = rng.integers(0, 3000, (48, 40, 20, 30)).astype("i2")
    path = tmp_path_factory.mktemp("dask") / "series.nii.gz"
    nibabel.Nifti1Image(data, np.eye(4)).to_filename(path)
    return path, data


def test_threads(series):
    path, data = series
    image = arrayproxy.open(path)
    lazy = dask.array.from_array(image, chunks=image.chunk_shape(1 << 20), lock=False)
    assert lazy.dtype == image.dtype and len(lazy.chunks[3]) > 1
    np.testing.assert_allclose(lazy.mean(axis=-1).compute(), data.mean(axis=-1))
    assert dask.array.from_array(image).name == dask.array.from_array(arrayproxy.open(path)).name


@pytest.mark.filterwarnings("ignore")
def test_processes(series, tmp_path):
    path, data = series
    image = arrayproxy.open(path)
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    options |= {"dashboard_address": None, "local_directory": str(tmp_path)}
    with LocalCluster(**options) as cluster, Client(cluster):
        lazy = dask.array.from_array(image, chunks=image.chunk_shape(1 << 20), lock=False)
        np.testing.assert_allclose(lazy.mean(axis=-1).compute(), data.mean(axis=-1))
