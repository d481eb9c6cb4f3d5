#!/usr/bin/env python3
"""Renders generated conversations with chat templates, by this program and by Hugging Face transformers, and compares them.

Usage: scripts/check_chat_templates.py TEMPLATES [--n 1000] [--program build/labelprobe]
       [--hashes FILE | --write-hashes FILE]

  TEMPLATES       a folder of .jinja files, or one such file. llama.cpp keeps those of many models, as their publishers have
                  them, in models/templates.
  --n             conversations for each template. They have one to nine turns, with and without a system message, a few with
                  roles out of turn, thoughts, or content as a list of parts; texts have quotes, spaces at their ends, other
                  scripts and special tokens.
  --hashes        compare with these in place of transformers, which need not be there then: for each template the SHA-256 of
                  its text and of all the conversations' texts, with the version that made them.
  --write-hashes  write such a file after the comparison. tests/fixtures/prompt/chat_templates.json is one, of 1,000 conversations
                  with each of 119 public templates: those of llama.cpp's models/templates by their names there, of its
                  tests/test-chat-template.cpp (llama.cpp-test-*), of the wheel of axolotl 0.19 (axolotl-*), of Llama Guard as in
                  fixtures/guard_reference.py, and of Llama-2, Meta-Llama-3, SmolLM2 and OLMo 2 and 3 as public repositories quote
                  them; that of Phi-4-mini was written from its documentation. The templates themselves are their publishers' and
                  are not kept here.

A conversation that transformers refuses has to be refused here as well. Prints a line for each template: equal and refused
conversations, and the first difference. Ends with 1 if there is one. The date is 26 July 2024 for both programs.
"""
import argparse
import datetime
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
WORDS = ("joy", "fear", "naïve", "你好", "été", "<|im_end|>", "[INST]", "it's", '"quoted"', "{{ x }}", "\\n", "a<b>&c", "\u00a0", "😀", "</think>",
         "<think>", "123", "two  spaces", "<|eot_id|>", "\t", "Straße", "{% if %}", "<eos>", "none", "https://x.y/?a=b&c", "ʼn", "\u2028")


def text_of(draw):
    words = [draw.choice(WORDS) if draw.random() < 0.4 else draw.choice(("the", "label", "of", "this", "text", "is")) for _ in
             range(draw.choice((0, 1, 2, 5, 12)))]
    text = draw.choice((" ", " ", "\n", ", ")).join(words)
    if draw.random() < 0.3:
        text = draw.choice((" ", "\n", "\n\n", "\t", "  ")) + text
    if draw.random() < 0.3:
        text += draw.choice((" ", "\n", "\n\n", "\t ", "  "))
    return text


def message_of(draw, role):
    content = text_of(draw)
    kind = draw.random()
    if role == "assistant" and kind < 0.15:
        content = f"<think>\n{text_of(draw)}\n</think>\n\n{content}"
    elif kind > 0.97:
        return {"role": role, "content": [{"type": "text", "text": content}, {"type": "text", "text": text_of(draw)}]}
    return {"role": role, "content": content}


def conversations(n):
    draw = random.Random(0)
    for _ in range(n):
        messages = [message_of(draw, "system")] if draw.random() < 0.5 else []
        for i in range(draw.randint(1, 9)):
            messages.append(message_of(draw, "user" if i % 2 == 0 else "assistant"))
        if draw.random() < 0.05:
            draw.shuffle(messages)
        yield messages


def rendered_here(program, template, chats):
    """A text for each conversation, None where it was refused; and what was said of those."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "tokenizer.json").write_text("{}")
        (pathlib.Path(folder) / "tokenizer_config.json").write_text(json.dumps(TOKENS))
        done = subprocess.run([program, "tokenize", "--chat", "--show-text", "--model-name-or-path", folder, "--chat-template",
                               str(template)], input="".join(json.dumps(chat) + "\n" for chat in chats), text=True,
                              capture_output=True, check=False)
    texts = [json.loads(line) for line in done.stdout.split("\n") if line]
    if len(texts) != len(chats):
        texts = [None] * len(chats)
    return texts, done.stderr.strip().splitlines()


def rendered_there(template, chats):
    from transformers.utils import chat_template_utils

    class FixedDate(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2024, 7, 26)

    chat_template_utils.datetime = FixedDate
    texts = []
    text = template.read_text(encoding="utf-8")
    for chat in chats:
        try:
            texts += chat_template_utils.render_jinja_template([chat], chat_template=text, add_generation_prompt=True, **TOKENS)[0]
        except Exception:
            texts.append(None)
    return texts


def hash_of(texts):
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def compare(template, here, there):
    """Shown for people: how many are equal, and the first that is not."""
    wrong = [i for i, (a, b) in enumerate(zip(here, there)) if a != b]
    refused = sum(text is None for text in there)
    note = ""
    if wrong:
        i = wrong[0]
        note = f"first difference: conversation {i}: here {here[i]!r:.300}, there {there[i]!r:.300}"
    print(f"{template.name:60} {len(here) - len(wrong):6} {refused:8} {len(wrong):6}  {note}", flush=True)
    return not wrong


def check_hash(template, here, known):
    entry = known.get(hashlib.sha256(template.read_bytes()).hexdigest())
    verdict = "unknown template" if entry is None else "equal" if entry["texts"] == hash_of(here) else "DIFFERENT"
    print(f"{template.name:60} {verdict}", flush=True)
    return verdict != "DIFFERENT"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("templates", type=pathlib.Path)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--program", default="build/labelprobe")
    parser.add_argument("--hashes", type=pathlib.Path)
    parser.add_argument("--write-hashes", type=pathlib.Path)
    given = parser.parse_args()
    templates = sorted(given.templates.glob("*.jinja")) if given.templates.is_dir() else [given.templates]
    chats = list(conversations(given.n))
    known = json.loads(given.hashes.read_text())["templates"] if given.hashes else {}
    if given.hashes and given.n != json.loads(given.hashes.read_text())["conversations"]:
        sys.exit("the hashes are of another number of conversations")
    print(f"{'template':60} " + ("verdict" if given.hashes else f"{'equal':>6} {'refused':>8} {'wrong':>6}"))
    hashes = {}
    are_equal = True
    for template in templates:
        here, _ = rendered_here(given.program, template, chats)
        if given.hashes:
            are_equal = check_hash(template, here, known) and are_equal
            continue
        there = rendered_there(template, chats)
        is_equal = compare(template, here, there)
        are_equal = are_equal and is_equal
        if is_equal:
            hashes[hashlib.sha256(template.read_bytes()).hexdigest()] = {"name": template.name, "texts": hash_of(there)}
    if given.write_hashes:
        import jinja2
        import transformers
        document = {"transformers": transformers.__version__, "jinja2": jinja2.__version__, "conversations": given.n, "templates": hashes}
        given.write_hashes.write_text(json.dumps(document, indent=1) + "\n")
    sys.exit(0 if are_equal else 1)


if __name__ == "__main__":
    main()
