"""Ray Serve: the same create_app() as replicas on many GPUs and machines. The one room that imports ray."""
