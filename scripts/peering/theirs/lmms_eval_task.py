"""Functions of a task page of lmms-eval: what is shown and asked, as our own task asked it."""


def visual(doc):
    return [doc["path"]] if doc["path"].endswith(".mp4") else [doc["image"].convert("RGB")]


def text(doc, lmms_eval_specific_kwargs=None):
    return doc["question"]


def results(doc, replies):
    return {"exact_match": float(replies[0].strip().lower() == doc["answer"])}
