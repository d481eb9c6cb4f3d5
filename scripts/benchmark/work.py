"""What there is to compute: the prompts of a distribution as token ids, how many of their tokens are distinct, the floating
point operations that those need, and which prompts stand for all where a peer is too slow for all of them."""
import dataclasses
import json
import subprocess

DISTRIBUTIONS = ("baseline", "unary", "binary")


class Failure(Exception):
    """A message for the user."""


def shared_beginning(a, b):
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


@dataclasses.dataclass
class Tree:
    """The token tree of prompts: equal beginnings counted once."""
    n_tokens: int     # distinct
    n_positions: int  # sum over the distinct tokens of how many tokens each attends to, itself included


def tree_of(prompts):
    n_tokens, n_positions, before = 0, 0, []
    for prompt in sorted(prompts):
        kept = shared_beginning(before, prompt)
        n_tokens += len(prompt) - kept
        n_positions += (len(prompt) * (len(prompt) + 1) - kept * (kept + 1)) // 2
        before = prompt
    return Tree(n_tokens, n_positions)


@dataclasses.dataclass
class Work:
    """One distribution's prompts, in the order of the run."""
    distribution: str
    n_queries: int
    prompts: list  # token ids
    also: list     # further prompts that a run of ours looks at: the healed ones of unary and binary
    n_new: int     # tokens generated at most
    n_new_pipeline: int
    stop: list
    shared: list = dataclasses.field(default_factory=list)  # beginning of all prompts, shorter than the shortest

    def __post_init__(self):
        n = min((shared_beginning(self.prompts[0], p) for p in self.prompts), default=0)
        self.shared = self.prompts[0][:min(n, min(map(len, self.prompts)) - 1)]

    @property
    def n_tokens(self):
        return sum(map(len, self.prompts))

    @property
    def n_asked_tokens(self):
        return self.n_tokens + sum(map(len, self.also))

    @property
    def n_per_query(self):
        return len(self.prompts) // self.n_queries


def output_lines(command, text=None):
    try:
        done = subprocess.run([str(c) for c in command], input=text, text=True, capture_output=True, check=False)
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Failure(f"'{' '.join(str(c) for c in command[:2])}' ended with code {done.returncode}: {last}")
    return done.stdout.splitlines()


def texts_of(program, flags, distribution):
    lines = output_lines([program, "prompts", "GoEmotions", *flags, "--distribution", distribution])
    return [json.loads(line)["text"] for line in lines]


def tokenized(program, model, texts):
    lines = output_lines([program, "tokenize", "--model-name-or-path", model],
                         "".join(json.dumps(text) + "\n" for text in texts))
    return [json.loads(line) for line in lines]


def work_of(program, model, flags, distribution, n_new_pipeline, stop, n_queries=None):
    texts = texts_of(program, flags, distribution)
    if not texts:
        raise Failure(f"{distribution}: the data and the id list give no prompts")
    is_word = distribution != "baseline"
    ids = tokenized(program, model, texts + ([text[:-1] for text in texts] if is_word else []))
    return Work(distribution, n_queries or len(texts), ids[:len(texts)], ids[len(texts):], 1 if is_word else n_new_pipeline,
                n_new_pipeline, stop)


# Floating point operations

@dataclasses.dataclass
class Shape:
    """A decoder of the Llama kind, from its config.json."""
    n_layers: int
    hidden: int
    inner: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    vocab: int

    @property
    def products(self):
        """(in, out) of the matrix products of a layer: queries, keys and values in one; gate and up in one."""
        rows = self.n_heads * self.head_dim
        return [(self.hidden, rows + 2 * self.n_kv_heads * self.head_dim), (rows, self.hidden),
                (self.hidden, 2 * self.inner), (self.inner, self.hidden)]

    def flop(self, n_tokens, n_positions, n_heads_read):
        """2 per weight of the layers and token, 4 per head dimension, layer and pair of positions that attend to each other
        (causal), 2 per weight of the output head and place whose logits are read."""
        block = 2 * sum(a * b for a, b in self.products) * self.n_layers
        attention = 4 * self.n_layers * self.n_heads * self.head_dim
        return block * n_tokens + attention * n_positions + 2 * self.hidden * self.vocab * n_heads_read


def shape_of(config):
    heads = config["num_attention_heads"]
    return Shape(config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"], heads,
                 config.get("num_key_value_heads") or heads, config.get("head_dim") or config["hidden_size"] // heads,
                 config["vocab_size"])


def needed_flop(shape, work, n_generated):
    """What one pass over the distinct tokens of a run needs: prompts, healed prompts, and all generated tokens that are fed
    back (the last of an answer is not)."""
    tree = tree_of(work.prompts + work.also)
    n_fed = max(0, n_generated - len(work.prompts) - len(work.also))
    depth = work.n_tokens / len(work.prompts) + n_fed / len(work.prompts) / 2
    return shape.flop(tree.n_tokens + n_fed, tree.n_positions + n_fed * depth, len(work.prompts) + len(work.also) + n_fed)


# Samples

def spread(n_all, n_wanted, block, n_blocks):
    """`n_wanted` of range(n_all), evenly spread, other ones in every block."""
    n_wanted = min(n_all, n_wanted)
    places = [int((k + (block + 0.5) / n_blocks) * n_all / n_wanted) for k in range(n_wanted)]
    return sorted(set(min(place, n_all - 1) for place in places))


def sample(work, kind, size, block, n_blocks):
    """Indices of the prompts that a peer answers in this block. kind: prompts (spread over all), batches of `size` neighbours
    (one per size), or queries with all of their prompts, in order. size None: all."""
    n = len(work.prompts)
    if size is None:
        return list(range(n))
    if kind == "prompts":
        return spread(n, size, block, n_blocks)
    if kind == "queries":
        each = work.n_per_query
        return [q * each + i for q in spread(work.n_queries, size, block, n_blocks) for i in range(each)]
    first = spread(max(1, n - size + 1), 1, block, n_blocks)[0]  # one batch
    return list(range(first, min(n, first + size)))
