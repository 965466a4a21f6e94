"""The twin: a discrete-event model of a served model, in which any autoscaler can be tried on any trace."""
