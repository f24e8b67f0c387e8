"""The networks: plain modules, one file a family.

Letters in shape comments: N images, C channels, H W pixels, R resolution, L latent, F features.
"""
