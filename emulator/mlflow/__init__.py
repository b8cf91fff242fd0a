"""MLflow: experiments, which are objects in folders, and the workspace's registry of models; no runs or versions."""
