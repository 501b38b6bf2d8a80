"""The program around the method: arguments, progress, signals, and the commands besides streaming.

Nothing else in `streamflow` knows this folder; this folder knows sources, sinks and the terminal.
"""
