"""Images: what the containers that run a flow's steps are built from."""
