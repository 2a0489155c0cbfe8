"""Runs the server on Ray Serve: the same create_app() as replicas on many GPUs and machines. Only this
package imports ray."""
