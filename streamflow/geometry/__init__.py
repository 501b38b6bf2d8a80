"""The ground floor of geometry: camera, epipole, rotations, poses, homographies."""
