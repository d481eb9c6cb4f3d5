"""Writes the seeds that fuzz targets start from, out of the tests' fixtures and by hand: tests/fuzz/seeds/TARGET/*.

Usage: python3 tests/fuzz/make_seeds.py
Files that it does not write stay: inputs that fuzzing has found, which the test replays too.
"""
import io
import json
import pathlib
import struct
import zipfile

here = pathlib.Path(__file__).parent
fixtures = here.parent / "fixtures"
END = b"\x1e"  # between the parts of an input, see input.h


def seed(target, name, *parts):
    folder = here / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(END.join(part.encode() if isinstance(part, str) else part for part in parts))


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def fixture(path):
    return (fixtures / path).read_bytes()


def fixture_json(path):
    return json.loads(fixture(path))


# --- Containers ---

def safetensors(header, data, space=0):
    text = compact(header).encode() + b" " * space
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


TWO = safetensors({"__metadata__": {"format": "pt"}, "a": tensor("F32", [1, 2], 0, 8), "b": tensor("BF16", [3], 8, 14)},
                  bytes(14), space=2)
seed("safetensors", "two", TWO)
seed("safetensors", "empty", safetensors({}, b""))
seed("safetensors", "zero", safetensors({"a": tensor("U8", [0, 4], 0, 0), "b": tensor("I64", [], 0, 8)}, bytes(8)))


def gguf_text(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def gguf_value(value):
    """A value with its type before it: bool, int (u32), float, text, list of one of these."""
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + gguf_text(value)
    first = gguf_value(value[0])[:4]
    return struct.pack("<I", 9) + first + struct.pack("<Q", len(value)) + b"".join(gguf_value(v)[4:] for v in value)


def gguf(pairs, tensors, version=3, alignment=32):
    """tensors: (name, dimensions in the file's order, type, bytes)."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    for key, value in pairs.items():
        head += gguf_text(key) + gguf_value(value)
    data = b""
    for name, shape, kind, content in tensors:
        data += bytes(-len(data) % alignment)
        head += gguf_text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in shape)
        head += struct.pack("<IQ", kind, len(data))
        data += content
    return head + bytes(-len(head) % alignment) + data


seed("gguf", "plain", gguf({"general.architecture": "llama", "a": 1, "b": 0.5, "c": True, "d": [1, 2], "e": ["x", "y"]},
                           [("t", [2, 1], 0, bytes(8)), ("q", [32], 8, bytes(34))]))
seed("gguf", "aligned", gguf({"general.alignment": 8, "tokenizer.ggml.tokens": ["<s>", "a", "<|im_end|>"],
                              "tokenizer.ggml.token_type": [3, 1, 4], "tokenizer.ggml.eos_token_id": 2},
                             [("t", [1], 30, bytes(2))], version=2, alignment=8))

llama = {"general.architecture": "llama", "llama.block_count": 1, "llama.context_length": 64, "llama.embedding_length": 4,
         "llama.feed_forward_length": 8, "llama.attention.head_count": 2, "llama.attention.head_count_kv": 1,
         "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.rope.freq_base": 10000.0, "llama.vocab_size": 3,
         "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["<s>", "a", "b"], "tokenizer.ggml.scores": [0.0, 0.0, 0.0],
         "tokenizer.ggml.token_type": [3, 1, 1]}
shapes = {"token_embd": [4, 3], "output_norm": [4], "blk.0.attn_norm": [4], "blk.0.attn_q": [4, 4], "blk.0.attn_k": [4, 2],
          "blk.0.attn_v": [4, 2], "blk.0.attn_output": [4, 4], "blk.0.ffn_norm": [4], "blk.0.ffn_gate": [4, 8],
          "blk.0.ffn_up": [4, 8], "blk.0.ffn_down": [8, 4]}


def floats(shape):
    n = 1
    for size in shape:
        n *= size
    return bytes(4 * n)


def tensors_of(names):
    return [(f"{name}.weight", shapes[name], 0, floats(shapes[name])) for name in names]


seed("config_gguf", "llama", gguf(llama, tensors_of(shapes)))
qwen = {key.replace("llama.", "qwen2."): value for key, value in llama.items()}
qwen |= {"general.architecture": "qwen2", "qwen2.rope.scaling.type": "yarn", "qwen2.rope.scaling.factor": 4.0,
         "qwen2.rope.scaling.original_context_length": 32}
seed("config_gguf", "qwen2", gguf(qwen, tensors_of(shapes) + [("blk.0.attn_q.bias", [4], 0, bytes(16))]))

# --- Texts of the containers' kinds ---

seed("json", "all", '{"a":[1,-2.5e3,true,null,"\\u00e4\\ud83d\\ude00"],"b":{"c":{}}}', '{"a":1}\n\n[2]\n"x"\n')
seed("json", "deep", "[" * 32 + "]" * 32)
seed("yaml", "all", "a: &x [1, 2.5, yes, null, 'q', \"\\u263A\"]\nb: *x\n<<: {c: d}\n? e\n: |\n  f\n  g\n#h\n")
seed("yaml", "list", "- !!str 1\n- {a: b, c: [d]}\n- >-\n  x\n  y\n- 0x1F\n- 1:30\n- .inf\n- ~\n")
seed("yaml", "log", fixture("record/published_log.yml")[:1200])
seed("delimited", "csv", '\x02id,text,cot\n1,"a ""b"", c",x\r\n2,"two\nlines",y\n\n3,d,\n')
seed("delimited", "tsv", "\x01id\ttext\n1\t\"a\tb\"c\n2\td\"e\n")
seed("delimited", "semicolon", "\x04id;text\n1;a\n")
seed("json_table", "lines", 'l{"id":1,"text":"a"}\n{"text":"b","labels":["x"]}\n\n{"id":null}')
seed("json_table", "list", 'j[{"id":1,"text":"a"},\n{"text":"b"}]')
seed("json_table", "columns", 'j{"text":{"0":"a","1":"b"},"id":{"0":1,"1":2}}')
seed("json_table", "rows", 'j{"x":{"text":"a"},\n"y":{"text":"b","id":3}}')
for name in ("t7", "t24", "t9"):
    seed("parquet", name, fixture(f"files/parquet/{name}.parquet"))

head = '<?xml version="1.0" encoding="UTF-8"?>'
book = [head + '<workbook xmlns:r="r"><sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>',
        head + '<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>'
               '<Relationship Id="rId2" Type="x/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>',
        head + '<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>text</t></is></c>'
               '</row><row><c t="s"><v>1</v></c><c><v>2.5</v></c></row></sheetData></worksheet>',
        head + '<sst><si><t>id</t></si><si><r><t xml:space="preserve">in </t></r><rPh><t>no</t></rPh><r><t>runs</t></r></si></sst>']
seed("workbook", "all", *book)
seed("workbook", "plain", book[0].replace(head, ""), book[1].replace(head, "").replace("/xl/shared", "shared"), book[2], "<sst/>")
for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for part, text in zip(("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"), book):
            archive.writestr(zipfile.ZipInfo(part), text, compress_type=method)
    seed("archive", name, held.getvalue())


def npy(shape, kind, data):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


seed("vectors", "npy", "de0\nde1\n", npy("(2, 2)", "<f4", struct.pack("<4f", 1, 2, 3, 4)))
seed("vectors", "npy64", npy("(1, 2)", "<f8", struct.pack("<2d", 1, 2)))
seed("vectors", "safetensors", "", safetensors({"__metadata__": {"ids": '["de0","de1"]'}, "vectors": tensor("F32", [2, 2], 0, 16)},
                                               struct.pack("<4f", 1, 2, 3, 4)))
seed("vectors", "half", "de0\n", safetensors({"vectors": tensor("F16", [1, 2], 0, 4)}, b"\x00\x3c\x00\xc0"))
seed("states", "plain", safetensors(
    {"__metadata__": {"format": "labelprobe hidden states 1", "ids": '["de0","de1"]'}, "item": tensor("I64", [2], 0, 16),
     "layer": tensor("I64", [1], 16, 24), "states": tensor("F32", [2, 1, 2], 24, 40), "step": tensor("I64", [2], 40, 56)},
    struct.pack("<2q1q4f2q", 0, 1, 0, 1, 2, 3, 4, 0, 0)))

# --- Models ---

index = {"metadata": {"total_size": 14}, "weight_map": {"a": "model-00001-of-00001.safetensors", "b": "model-00001-of-00001.safetensors"}}
seed("safetensors_index", "one", compact(index), TWO)
for name in ("llama_gqa_llama3_rope", "qwen2", "mistral", "bitsandbytes/nf4_double"):
    seed("config_json", name.replace("/", "_"), compact(fixture_json(f"model/{name}/config.json")),
         '{"eos_token_id":[2,3],"bos_token_id":1,"repetition_penalty":1.1,"suppress_tokens":[5],"bad_words_ids":[[6,7]],"temperature":0.6}')
for model in fixture_json("model/families.json")["models"]:
    if model["name"] in ("gemma3", "olmo3", "phi3_longrope", "smollm3"):
        seed("config_json", model["name"], compact(model["config"]))
seed("config_json", "yarn", compact({
    "architectures": ["Qwen2ForCausalLM"], "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
    "vocab_size": 9, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32,
                                      "beta_fast": 32, "beta_slow": 1}}))
for name in ("bert", "mpnet"):
    seed("encoder_config", name, compact(fixture_json(f"model/sentence/{name}/config.json")),
         '[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},'
         '{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},'
         '{"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]',
         '{"word_embedding_dimension":8,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true}',
         fixture(f"model/sentence/{name}/sentence_bert_config.json"))
for name in ("llama", "qwen2_rslora"):
    settings = {key: value for key, value in fixture_json(f"model/adapters/{name}/adapter_config.json").items() if value is not None}
    seed("adapter_config", name, compact(settings))

# --- Tokenizers ---

special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "hello": 4, "##o": 5, "w": 6, "##r": 7, "42": 8, "!": 9, "joy": 10}
seed("tokenizer_json", "words", compact({
    "version": "1.0", "padding": {"pad_token": "[PAD]"},
    "added_tokens": [{"id": i, "content": text, **special} for text, i in list(words.items())[:4]],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
                       "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                       "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                                {"Sequence": {"id": "B", "type_id": 1}}],
                       "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
              "vocab": words}}), "Hello joy 42!")
pieces = ["<unk>", "<s>", "</s>", "<0x0A>", "<0x57>", "\u2581", "h", "e", "l", "o", "he", "ll", "\u2581he", "llo"]
seed("tokenizer_json", "pieces", compact({
    "added_tokens": [{"id": i, "content": pieces[i], **special} for i in range(3)],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
                                                       {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
    "pre_tokenizer": None, "post_processor": None,
    "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
                                                 {"type": "ByteFallback"}, {"type": "Fuse"},
                                                 {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True,
              "vocab": {text: i for i, text in enumerate(pieces)},
              "merges": ["h e", "l l", ["\u2581", "he"], "ll o"]}}), " hello\n",
    '{"bos_token":"<s>","eos_token":{"content":"</s>"},"add_bos_token":true,"legacy":false}', '{"pad_token":"</s>"}', '{"<x>":14}')
letters = ["h", "e", "l", "o", "\u0120", "w", "r", "d", "1", "2", "3", "!", "<|end|>", "he", "ll", "\u0120w"]
seed("tokenizer_json", "bytes", compact({
    "added_tokens": [{"id": 12, "content": "<|end|>", **special}],
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
         "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]},
    "post_processor": {"type": "ByteLevel", "trim_offsets": False}, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "ignore_merges": True, "vocab": {text: i for i, text in enumerate(letters)},
              "merges": ["h e", "l l", "\u0120 w"]}}), "hello world 123!")
seed("bert_vocabulary", "words", "\n".join(words) + "\n", "Hello joy", '{"do_lower_case":false,"strip_accents":true}')
seed("sentencepiece", "unigram", fixture("tokenizer/unigram/tokenizer.model"))
seed("gguf_tokenizer", "pieces", gguf(
    {"general.architecture": "llama", "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": pieces,
     "tokenizer.ggml.scores": [-float(i) for i in range(len(pieces))], "tokenizer.ggml.token_type": [2, 3, 3, 6, 6] + [1] * 9,
     "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.add_bos_token": True,
     "tokenizer.chat_template": "{{ bos_token }}"}, []))
seed("gguf_tokenizer", "bytes", gguf(
    {"general.architecture": "llama", "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe",
     "tokenizer.ggml.tokens": letters, "tokenizer.ggml.merges": ["h e", "l l", "\u0120 w"],
     "tokenizer.ggml.token_type": [1] * 12 + [3] + [1] * 3, "tokenizer.ggml.eos_token_id": 12}, []))

# --- Chats ---

seed("chat_files", "list", '{"chat_template":[{"name":"default","template":"{{ messages }}"},{"name":"tool_use","template":""}],'
                           '"bos_token":"<s>","eos_token":{"content":"</s>"}}', '{"pad_token":"</s>"}')
seed("chat_files", "own", '{"chat_template":"a"}', "{}", "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}")
seed("chat_template", "llama", "{% set n = namespace(i=0) %}{{- bos_token }}{% for m in messages %}{% if loop.first and m['role'] == 'system' %}"
                               "{{ '<|s|>' + m.content | trim + '\\n' }}{% elif m.role != 'tool' %}{{- '<|' ~ m['role'] ~ '|>' -}}{{ m.content }}"
                               "{% else %}{{ raise_exception('no tools') }}{% endif %}{% set n.i = n.i + 1 %}{% endfor %}"
                               "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")
seed("chat_template", "macro", "{% macro f(x, y=2) %}{{ x|upper }}{{ y * 2 }}{% endmacro %}{{ f('a') }}{{ [1,2,3][::-1] | join(',') }}"
                               "{{ {'a': 1}.items() | list | tojson(indent=2) }}{{ 'a' if messages is defined else 'b' }}"
                               "{{ strftime_now('%d %b %Y') }}{% for i in range(3) if i % 2 == 0 %}{{ loop.index0 }}{% else %}x{% endfor %}")
seed("chat_template", "filters", "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list | length }}"
                                 "{{ messages[0].content.split(' ')[0].strip().startswith('Y') }}{{ '%s' | format(1) }}{# c #}"
                                 "{%- set x -%} a {%- endset -%}{{ x ~ (1.5 + 2) // 1 }}{{ messages | tojson }}")
seed("chat_template", "chat", "{% for m in messages %}{{ m.role }}: {{ m.content or '' }}{{ m.x | default(0) }}{% endfor %}",
     '[{"role":"user","content":"a"},{"role":"tool","content":null,"x":[1,{"y":2.5}]}]')
seed("server_reply", "completion", compact({
    "choices": [{"text": " joy, love", "finish_reason": "stop", "logprobs": {
        "tokens": [" joy", ",", " love"], "token_logprobs": [-0.5, -0.25, -1], "text_offset": [0, 4, 5],
        "top_logprobs": [{" joy": -0.5, " x": -2}, {",": -0.25}, {" love": -1}]}}], "usage": {"prompt_tokens": 12, "completion_tokens": 3}}))
token = {"token": "joy", "logprob": -0.5, "bytes": [106, 111, 121], "top_logprobs": [{"token": "joy", "logprob": -0.5, "bytes": None}]}
seed("server_reply", "chat", compact({"choices": [{"message": {"role": "assistant", "content": "joy"}, "finish_reason": "length",
                                                   "logprobs": {"content": [token]}}], "usage": {"prompt_tokens": 1}}))
seed("server_reply", "mixed", compact({"choices": [{"text": "joy", "message": {"content": "joy"}, "finish_reason": None,
                                                    "logprobs": {"content": [token]}}]}))
seed("server_reply", "models", '{"data":[{"id":"x","owned_by":"vllm","max_model_len":4096,"root":"y"},'
                               '{"id":"z","owned_by":"llamacpp","meta":{"n_ctx_train":8,"n_params":1,"size":2,"n_vocab":3}}]}')
seed("server_reply", "tokens", '{"tokens":[{"id":1,"piece":"a"},{"id":2,"piece":[195,164]}]}')

# --- Data ---

table = "id,text,labels,ann,split\n1,it rains,joy,a,train\n2,snow,\"joy,fear\",b,train\n3,sun,none,a,test\n"
seed("task_file", "list", "name: tiny\nfiles: rows.csv\nid: id\ntext: text\nlabels: {column: labels, separator: ','}\n"
                          "label_names: [joy, fear]\nsplit: {train: 0.5, test: 0.5, seed: 1}\nprompts: {system: Hello}\n", table)
seed("task_file", "votes", "files: {train: rows.csv}\nid: id\ntext: '{text}: {id}'\nlabels: {class: ann}\n"
                           "votes: {file: votes.csv, item: id, annotator: who, labels: {class: vote}}\n", table,
     "id,who,vote\n1,x,a\n1,y,b\n2,x,b\n")
seed("task_file", "columns", "files: rows.csv\ntext: text\nlabels: {columns: {joy: j, fear: f}}\nsplit: {column: split}\n"
                             "shots: 3\noptions: {seed: [1, 2]}\n", "text,j,f,split\na,1,0,train\nb,0,1,train\n")
front = ("---\nconfigs:\n- config_name: default\n  default: true\n  data_files:\n  - split: train\n    path: '*.jsonl'\n"
         "dataset_info:\n  config_name: default\n  features:\n  - name: text\n    dtype: string\n  - name: label\n    dtype:\n"
         "      class_label:\n        names:\n          '0': no\n          '1': yes\n---\n# Title\n")
lines = '{"text":"a","label":0}\n{"text":"b","label":1}\n'
seed("task_draft", "front", front, lines)
seed("task_draft", "infos", "", lines, '{"default":{"features":{"text":{"dtype":"string","_type":"Value"},'
                                       '"label":{"names":["no","yes"],"_type":"ClassLabel"},"x":{"feature":{"dtype":"int64","_type":"Value"},"_type":"Sequence"}}}}')
seed("task_draft", "votes", "", '{"id":"1","text":"a","annotations":{"x":["joy"],"y":[]}}\n')
seed("id_lists", "ids", "de0\n de1 \r\n\nde0\nde2")
seed("id_lists", "texts", "train:\n  'a b': de0\n  \"c\\n\": de1\ntest:\n  x: y\n")
seed("id_lists", "cots", "id,cot\nde0__aggregate,\"because, \"\"x\"\"\"\nde1__ann7,b\n")
seed("config_file", "yaml", "text: a\nnumber: 3\nis_on: true\ntexts: [b, c]\nshot: 5\n")
seed("config_file", "json", '{"text": "args.number", "number": [1, 2, -1], "share": null}')

# --- Logs ---

seed("manifest", "version_1", fixture("record/version_1/manifest.json"))
seed("manifest", "now", compact({
    "format": 3, "not_comparable": ["seed"], "params": {"shot": 5}, "experiments": [
        {"index": 0, "state": "finished", "contents": {"model": "x"}, "params": {"seed": 1}, "n_items": 2, "n_failed": 0,
         "record_version": 3, "sizes": {"indexed_metrics.yml": None}, "parts": {"indexed_metrics.yml": [0, 10, "0" * 32]}}]}),
     '0: {"description": "", "metrics": {"micro_f1": 0.5}, "annotators": {"a": {"x": 1}}, "items": {"de0": {"y": 2}}}\n')
for name, path in (("verbalized", "compare/verbalized/f32_0"), ("classify", "compare/classify/f32_0"), ("trained", "align/logs/GoEmotions/SFT-tiny_0")):
    folder = fixtures / path
    items = (folder / "indexed_metrics.yml").read_bytes()
    cut = items.find(b"\n  v2:\n")
    parts = [items[:cut + 1] if cut > 0 else items, (folder / "params.yml").read_bytes()]
    if (folder / "annotator_preds.yml").exists():
        parts.append((folder / "annotator_preds.yml").read_bytes())
    seed("log", name, *(part[:3000] for part in parts))
seed("log", "published", fixture("record/published_log.yml")[:3000])
