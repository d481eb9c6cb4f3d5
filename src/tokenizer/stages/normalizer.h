// The rewriting of a text before it is split: the "normalizer" of tokenizer.json. Of characters
// newer than Unicode 14 some keep their form or case here that the reference changes: we know those
// of utf8proc.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tokenizer/text/aligned_text.h"
#include "tokenizer/text/regex.h"

namespace labelprobe::tokenizer {

enum class UnicodeForm { Nfc, Nfd, Nfkc, Nfkd };

struct ToForm {
  UnicodeForm form;
};

struct Prepend {
  std::string prefix;  // put before every text that is not empty
};

// Exactly one of `text` and `regex` says what is replaced.
struct Replace {
  std::string text;
  std::shared_ptr<const Regex> regex;
  std::string content;
};

struct Lowercase {};

struct StripSpaces {
  bool at_start = true;
  bool at_end = true;
};

// The steps of the format's BertNormalizer, with the characters of bert_classes.h.
struct CleanText {};        // drops controls and the like; white space becomes spaces
struct SpaceIdeographs {};  // a space on either side
struct DropAccents {};

using Normalizer = std::variant<ToForm,
                                Prepend,
                                Replace,
                                Lowercase,
                                StripSpaces,
                                CleanText,
                                SpaceIdeographs,
                                DropAccents>;

// Applies all in order.
AlignedText normalize(AlignedText text, const std::vector<Normalizer>& normalizers);

}  // namespace labelprobe::tokenizer
