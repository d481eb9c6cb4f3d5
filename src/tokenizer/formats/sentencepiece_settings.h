// The few settings of a SentencePiece model that its library does not tell. The file is a
// serialised protobuf message (sentencepiece_model.proto), read here field by field.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace labelprobe::tokenizer {

struct SentencePieceSettings {
  bool is_bpe = false;
  bool adds_prefix = true;    // a space before every text
  bool changes_text = false;  // by normalization rules or treatment of spaces other than escaping

  // Nothing if `model` is no message of this kind.
  static std::optional<SentencePieceSettings> read(std::string_view model);
};

// Behind a serialised model: normalizer_spec { add_dummy_prefix: false }. Protobuf merges what
// stands twice, the later one wins.
inline const std::string kWithoutPrefix = {'\x1A', '\x02', '\x18', '\x00'};

}  // namespace labelprobe::tokenizer
