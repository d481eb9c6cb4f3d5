#include "tokenizer/stages/normalizer.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <utf8proc.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "tokenizer/text/bert_classes.h"
#include "tokenizer/text/unicode.h"

namespace labelprobe::tokenizer {

namespace {

// No character below composes with, or moves past, one before it.
constexpr std::uint32_t kFirstCombining = 0x300;

bool is_all_below_combining(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0xCC; });
}

// True if nothing before `code` can change together with it: a text may be cut there and normalized
// piece by piece.
bool begins_cluster(std::uint32_t code) {
  if (code < kFirstCombining) {
    return true;
  }
  const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
  const bool is_mark = property->category == UTF8PROC_CATEGORY_MN ||
                       property->category == UTF8PROC_CATEGORY_MC ||
                       property->category == UTF8PROC_CATEGORY_ME;
  const bool is_jamo = (code >= 0x1160 && code <= 0x11FF) || (code >= 0x3130 && code <= 0x318F);
  const bool is_half_width =
      code >= 0xFF00 && code <= 0xFFEF;  // compatibility jamo and sound marks
  const bool is_kirat_rai = code >= 0x16D63 && code <= 0x16D6A;
  return !is_mark && property->combining_class == 0 && !is_jamo && !is_half_width && !is_kirat_rai;
}

// utf8proc's own decomposition sorts marks in quadratic time; a hostile text has a million of them.
void sort_marks(std::vector<utf8proc_int32_t>& codes) {
  const auto class_of = [](utf8proc_int32_t code) {
    return utf8proc_get_property(code)->combining_class;
  };
  for (auto first = codes.begin(); first != codes.end();) {
    if (class_of(*first) == 0) {
      ++first;
      continue;
    }
    const auto last =
        std::find_if(first, codes.end(), [&](utf8proc_int32_t c) { return class_of(c) == 0; });
    std::stable_sort(first, last, [&](utf8proc_int32_t a, utf8proc_int32_t b) {
      return class_of(a) < class_of(b);
    });
    first = last;
  }
}

std::string to_form(std::string_view cluster, UnicodeForm form) {
  const bool is_compatible = form == UnicodeForm::Nfkc || form == UnicodeForm::Nfkd;
  const bool is_composed = form == UnicodeForm::Nfc || form == UnicodeForm::Nfkc;
  const auto compat = static_cast<utf8proc_option_t>(is_compatible ? UTF8PROC_COMPAT : 0);
  const auto decompose =
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | compat);
  std::vector<utf8proc_int32_t> codes;
  for (std::size_t at = 0; at < cluster.size();) {
    const Character character = character_at(cluster, at);
    std::array<utf8proc_int32_t, 32> parts{};
    int boundary_class = 0;
    const auto n_parts = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(character.code), parts.data(),
        static_cast<utf8proc_ssize_t>(parts.size()), decompose, &boundary_class);
    LABELPROBE_CHECK(n_parts > 0 && n_parts <= static_cast<utf8proc_ssize_t>(parts.size()));
    codes.insert(codes.end(), parts.begin(), parts.begin() + n_parts);
    at += character.n_bytes;
  }
  sort_marks(codes);
  if (is_composed) {
    const auto n_codes = utf8proc_normalize_utf32(
        codes.data(), static_cast<utf8proc_ssize_t>(codes.size()),
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | compat));
    LABELPROBE_CHECK(n_codes >= 0);
    codes.resize(static_cast<std::size_t>(n_codes));
  }
  std::string text;
  for (const utf8proc_int32_t code : codes) {
    append_utf8(text, static_cast<std::uint32_t>(code));
  }
  return text;
}

AlignedText apply(AlignedText text, const ToForm& normalizer) {
  const std::string_view bytes = text.bytes();
  // Below U+0300 the canonical composed form is the text itself.
  if (normalizer.form == UnicodeForm::Nfc && is_all_below_combining(bytes)) {
    return text;
  }
  Rewriter rewriter(text);
  for (std::size_t begin = 0; begin < bytes.size();) {
    std::size_t end = begin + length_at(bytes, begin);
    while (end < bytes.size() && !begins_cluster(character_at(bytes, end).code)) {
      end += length_at(bytes, end);
    }
    const std::string_view cluster = bytes.substr(begin, end - begin);
    const bool is_ascii = cluster.size() == 1;
    const std::string formed = is_ascii ? std::string() : to_form(cluster, normalizer.form);
    if (is_ascii || formed == cluster) {
      rewriter.keep({begin, end});
    } else {
      rewriter.put(formed, {begin, end});
    }
    begin = end;
  }
  return rewriter.finish();
}

AlignedText apply(AlignedText text, const Prepend& normalizer) {
  if (text.bytes().empty()) {
    return text;
  }
  Rewriter rewriter(text);
  rewriter.put(normalizer.prefix, {0, 0});
  rewriter.keep({0, text.bytes().size()});
  return rewriter.finish();
}

bool find_replaced(const Replace& replace, std::string_view bytes, std::size_t from, Range* match) {
  if (replace.regex) {
    return replace.regex->find(bytes, from, match);
  }
  const std::size_t found =
      replace.text.empty() ? std::string_view::npos : bytes.find(replace.text, from);
  *match = {found, found + replace.text.size()};
  return found != std::string_view::npos;
}

AlignedText apply(AlignedText text, const Replace& normalizer) {
  const std::string_view bytes = text.bytes();
  Range match;
  if (!find_replaced(normalizer, bytes, 0, &match)) {
    return text;
  }
  Rewriter rewriter(text);
  std::size_t kept = 0;
  std::size_t from = 0;
  while (from <= bytes.size() && find_replaced(normalizer, bytes, from, &match)) {
    rewriter.keep({kept, match.begin});
    rewriter.put(normalizer.content, match);
    kept = match.end;
    const bool is_empty = match.begin == match.end;
    from = !is_empty ? match.end : kept < bytes.size() ? kept + length_at(bytes, kept) : kept + 1;
  }
  rewriter.keep({kept, bytes.size()});
  return rewriter.finish();
}

AlignedText apply(AlignedText text, const Lowercase&) {
  const std::string_view bytes = text.bytes();
  Rewriter rewriter(text);
  std::string lower;
  for (std::size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    lower.clear();
    if (character.code == 0x130) {
      lower = "i\u0307";  // the only character whose lower case is two
    } else {
      append_utf8(lower, static_cast<std::uint32_t>(
                             utf8proc_tolower(static_cast<utf8proc_int32_t>(character.code))));
    }
    rewriter.put(lower, {at, at + character.n_bytes});
    at += character.n_bytes;
  }
  return rewriter.finish();
}

AlignedText apply(AlignedText text, const StripSpaces& normalizer) {
  const std::string_view bytes = text.bytes();
  Range kept{0, 0};
  bool has_begun = !normalizer.at_start;
  for (std::size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    const bool is_space = is_white_space(character.code);
    if (!is_space && !has_begun) {
      kept.begin = at;
      has_begun = true;
    }
    at += character.n_bytes;
    if (!is_space || !normalizer.at_end) {
      kept.end = at;
    }
  }
  if (!has_begun) {
    kept = {0, 0};
  }
  Rewriter rewriter(text);
  rewriter.keep({kept.begin, std::max(kept.begin, kept.end)});
  return rewriter.finish();
}

// Calls `rewrite(code, range)` for every character, which returns whether it is kept as it is.
template <class Rewrite>
AlignedText rewrite_characters(const AlignedText& text,
                               Rewriter& rewriter,
                               const Rewrite& rewrite) {
  const std::string_view bytes = text.bytes();
  std::size_t kept = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    const Range range{at, at + character.n_bytes};
    at = range.end;
    // What was not rewritten yet goes first.
    if (!rewrite(character.code, range, [&] { rewriter.keep({kept, range.begin}); })) {
      kept = at;
    }
  }
  rewriter.keep({kept, bytes.size()});
  return rewriter.finish();
}

AlignedText apply(AlignedText text, const CleanText&) {
  Rewriter rewriter(text);
  return rewrite_characters(text, rewriter,
                            [&](std::uint32_t code, Range range, const auto& keep_before) {
                              const bool is_space = code != ' ' && is_white_space(code);
                              if (!is_space && !is_bert_dropped(code)) {
                                return true;
                              }
                              keep_before();
                              if (!is_bert_dropped(code)) {
                                rewriter.put(" ", range);
                              }
                              return false;
                            });
}

AlignedText apply(AlignedText text, const SpaceIdeographs&) {
  Rewriter rewriter(text);
  return rewrite_characters(text, rewriter,
                            [&](std::uint32_t code, Range range, const auto& keep_before) {
                              if (!is_bert_ideograph(code)) {
                                return true;
                              }
                              keep_before();
                              rewriter.put(" ", {range.begin, range.begin});
                              rewriter.keep(range);
                              rewriter.put(" ", {range.end, range.end});
                              return false;
                            });
}

AlignedText apply(AlignedText text, const DropAccents&) {
  Rewriter rewriter(text);
  return rewrite_characters(text, rewriter,
                            [&](std::uint32_t code, Range, const auto& keep_before) {
                              if (!is_bert_accent(code)) {
                                return true;
                              }
                              keep_before();
                              return false;
                            });
}

}  // namespace

AlignedText normalize(AlignedText text, const std::vector<Normalizer>& normalizers) {
  for (const Normalizer& normalizer : normalizers) {
    text = std::visit([&](const auto& each) { return apply(std::move(text), each); }, normalizer);
  }
  return text;
}

}  // namespace labelprobe::tokenizer
