"""The life of an import run: uploaded, planned, confirmed, running, applied; or failed or cancelled."""
