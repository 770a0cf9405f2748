"""What others call the same things: a name that is known elsewhere is answered with ours."""

from __future__ import annotations

from collections.abc import Sequence

from gandiag.errors import did_you_mean

OTHER_NAMES = {
    # losses and penalties
    "wgan": "wasserstein",
    "wgan_gp": "loss=wasserstein with penalties=wgan-gp",
    "lsgan": "least-squares",
    "mse": "least-squares",
    "vanilla": "minimax",
    "bce": "non-saturating",
    "logistic": "non-saturating",
    "ns": "non-saturating",
    "nsgan": "non-saturating",
    "rpgan": "relativistic",
    "rgan": "relativistic",
    "gp": "wgan-gp",
    "gradient_penalty": "wgan-gp",
    "spectral": "spectral_norm=true",
    # scores
    "fid": "frechet_distance",
    "kid": "kernel_distance",
    # machine
    "gpu": "cuda",
    "fp16": "float16",
    "half": "float16",
    "bf16": "bfloat16",
    "amp": "precision=bfloat16",
    "fp32": "float32",
    # settings
    "lr": "lr_g and lr_d",
    "learning_rate": "lr_g and lr_d",
    "batch_size": "batch",
    "bs": "batch",
    "epochs": "steps, or images for a number of samples",
    "iterations": "steps",
    "iters": "steps",
    "max_steps": "steps",
    "z_dim": "latent_size",
    "nz": "latent_size",
    "latent_dim": "latent_size",
    "n_critic": "d_steps",
    "critic_iters": "d_steps",
    "ngf": "generator_width",
    "ndf": "discriminator_width",
    "optimizer": "optimizer_g and optimizer_d",
    "optim": "optimizer_g and optimizer_d",
    "image_size": "resolution",
    "img_size": "resolution",
    "size": "resolution",
    "dataset": "data",
    "dataroot": "data",
    "num_workers": "workers",
    "ema": "ema_images",
    "r1_gamma": "gamma",
    "lambda_gp": "gamma",
    "grad_clip": "clip_gradient",
    "clip": "clip_gradient or clip_weights",
    "adamw": "adam, whose weight_decay is decoupled",
    "output": "out",
    "output_dir": "outdir",
    "sim": "simultaneous",
    "alt": "alternating",
    "eg": "extragradient",
    "ogda": "optimistic",
}


def meant(word: str, known: Sequence[str]) -> str:
    """Returns ' (did you mean X?)' for what is called `word` elsewhere or is nearest to it among the known ones, or an empty text."""
    plain = word.strip("-").lower()
    ours = OTHER_NAMES.get(plain.replace("-", "_"))
    if ours is not None and plain not in known:
        return f" (did you mean {ours}?)"
    return did_you_mean(plain if plain in known else word, list(known))
