// The parts of tokenizer.json that say how text is prepared and put together again. A component
// that is not supported is a ModelError with its place, its type and the supported ones.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/files/json.h"
#include "labelprobe/tokenizer/tokenizer.h"

#include "tokenizer/stages/decoder.h"
#include "tokenizer/stages/normalizer.h"
#include "tokenizer/stages/pre_tokenizer.h"

namespace labelprobe::tokenizer {

// Each takes the component as it stands in the file, which may be null or a Sequence.
std::vector<Normalizer> read_normalizers(const files::JsonView& component);
std::vector<Decoder> read_decoders(const files::JsonView& component);

struct PreTokenizers {
  std::vector<PreTokenizer> steps;
  bool is_byte_level = false;
};

PreTokenizers read_pre_tokenizers(const files::JsonView& component);

// The special tokens around a single text, and around two where these stand as BERT has them.
struct Frame {
  TokenIds prefix_ids;
  TokenIds suffix_ids;
  std::optional<PairFrame> pair = {};
};

Frame read_post_processor(const files::JsonView& component);

// ByteLevel's own regular expression, which is GPT-2's.
PreTokenizer gpt2_split();
PreTokenizer isolated_split(std::string_view regex);

}  // namespace labelprobe::tokenizer
