"""The variables of this process that a process with a clean environment inherits: an allow list.

Such processes are the worker of a visitor, and a script of the user. An environment holds keys that no list of
forbidden names can foresee (`DATABASE_URL`, `SENTRY_DSN`); so a variable is inherited only if it is known to be needed.
"""

from __future__ import annotations

from collections.abc import Mapping

NAMES = frozenset(
    {
        # The process and its language.
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LD_PRELOAD"),
        *("VIRTUAL_ENV", "CONDA_PREFIX", "XDG_CACHE_HOME"),
        # Python.
        *("PYTHONPATH", "PYTHONHOME", "PYTHONHASHSEED", "PYTHONNOUSERSITE", "PYTHONUSERBASE", "PYTHONUTF8"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONFAULTHANDLER", "PYTHONWARNINGS"),
        # The Hub. Not its caches and not HF_TOKEN_PATH: a visitor's caches are separate, and the login is not theirs.
        *("HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"),
        *("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT", "HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_SYMLINKS_WARNING"),
        *("DISABLE_SAFETENSORS_CONVERSION", "NO_ALBUMENTATIONS_UPDATE", "TOKENIZERS_PARALLELISM", "WANDB_MODE"),
        # The network.
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    }
)
PREFIXES = (
    *("LC_", "AUTOTRAIN_GRADIO_"),
    # Hardware and threads.
    *("CUDA_", "NVIDIA_", "NCCL_", "CUDNN_", "CUBLAS_", "HIP_", "HSA_", "ROCR_", "ROCM_"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "PYTORCH_", "TORCH_", "MALLOC_"),
)
SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIAL")
"""Not inherited whatever the prefix is."""


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that such a process inherits."""
    return {name: value for name, value in environ.items() if name in NAMES or _has_prefix(name)}


def _has_prefix(name: str) -> bool:
    return name.startswith(PREFIXES) and not any(word in name.upper() for word in SECRET_WORDS)
