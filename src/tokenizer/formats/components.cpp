#include "tokenizer/formats/components.h"

#include <array>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

namespace labelprobe::tokenizer {

namespace {

// Calls `visit(component)` for the component, or for each of a Sequence's in order; `list_key`
// names their array.
template <class Visit>
void for_each_component(const files::JsonView& component,
                        std::string_view list_key,
                        const Visit& visit) {
  if (component.is_null()) {
    return;
  }
  if (component.at("type").string() != "Sequence") {
    return visit(component);
  }
  for (const files::JsonView& item : component.at(list_key).items()) {
    for_each_component(item, list_key, visit);
  }
}

// {"String": ...} or {"Regex": ...}, the latter compiled.
std::pair<std::string, std::shared_ptr<const Regex>> read_pattern(const files::JsonView& pattern) {
  const files::JsonView plain = pattern.find("String");
  if (!plain.is_null()) {
    return {plain.string(), nullptr};
  }
  const files::JsonView regex = pattern.at("Regex");
  try {
    return {{}, std::make_shared<const Regex>(regex.string())};
  } catch (const ModelError& error) {
    regex.fail(error.what());
  }
}

std::size_t type_of(const files::JsonView& component,
                    std::string_view kind,
                    std::initializer_list<std::string> known) {
  const std::vector<std::string> supported(known);
  return component.at("type").choice(kind, supported);
}

Split read_split(const files::JsonView& component) {
  static const std::array<std::string, 5> kBehaviors = {"Isolated", "Removed", "MergedWithPrevious",
                                                        "MergedWithNext", "Contiguous"};
  constexpr std::array kValues = {SplitBehavior::Isolated, SplitBehavior::Removed,
                                  SplitBehavior::MergedWithPrevious, SplitBehavior::MergedWithNext,
                                  SplitBehavior::Contiguous};
  auto [text, regex] = read_pattern(component.at("pattern"));
  const auto behavior = kValues[component.at("behavior").choice("split behavior", kBehaviors)];
  const bool is_inverted = component.boolean_or("invert", false);
  return {std::move(text), std::move(regex), behavior,
          is_inverted ? SplitOn::Gaps : SplitOn::Matches};
}

PrependScheme read_prepend_scheme(const files::JsonView& component) {
  static const std::array<std::string, 3> kSchemes = {"always", "first", "never"};
  constexpr std::array kValues = {PrependScheme::Always, PrependScheme::First,
                                  PrependScheme::Never};
  const files::JsonView scheme = component.find("prepend_scheme");
  if (scheme.is_null()) {
    return component.boolean_or("add_prefix_space", true) ? PrependScheme::Always
                                                          : PrependScheme::Never;
  }
  return kValues[scheme.choice("prepend scheme", kSchemes)];
}

std::size_t read_count(const files::JsonView& number) {
  return static_cast<std::size_t>(number.integer(0, limits::kTokenId));
}

TokenIds read_template_ids(const files::JsonView& piece, const files::JsonView& special_tokens) {
  const std::string& name = piece.at("SpecialToken").at("id").string();
  TokenIds ids;
  for (const files::JsonView& id : special_tokens.at(name).at("ids").items()) {
    ids.push_back(static_cast<TokenId>(id.integer(0, limits::kTokenId)));
  }
  return ids;
}

// nullopt unless the template puts two texts together as BERT does: all up to the second text is
// segment 0, the rest segment 1.
std::optional<PairFrame> read_pair(const files::JsonView& component) {
  const files::JsonView pieces = component.find("pair");
  if (pieces.is_null()) {
    return std::nullopt;
  }
  PairFrame frame;
  const std::array<TokenIds*, 3> sides = {&frame.before, &frame.between, &frame.behind};
  std::size_t n_texts = 0;
  for (const files::JsonView& piece : pieces.items()) {
    const files::JsonView text = piece.find("Sequence");
    const bool is_text = !text.is_null();
    const files::JsonView part = is_text ? text : piece.at("SpecialToken");
    if (is_text && (n_texts == 2 || part.at("id").string() != (n_texts == 0 ? "A" : "B"))) {
      return std::nullopt;
    }
    n_texts += is_text ? 1 : 0;
    const files::JsonView segment = part.find("type_id");
    if ((segment.is_null() ? 0 : segment.integer(0, limits::kTokenId)) != (n_texts == 2 ? 1 : 0)) {
      return std::nullopt;
    }
    if (!is_text) {
      const TokenIds ids = read_template_ids(piece, component.at("special_tokens"));
      sides[n_texts]->insert(sides[n_texts]->end(), ids.begin(), ids.end());
    }
  }
  return n_texts == 2 && !frame.between.empty() ? std::optional(frame) : std::nullopt;
}

Frame read_template(const files::JsonView& component) {
  Frame frame;
  int n_texts = 0;
  const files::JsonView pieces = component.at("single");
  for (const files::JsonView& piece : pieces.items()) {
    if (!piece.find("Sequence").is_null()) {
      ++n_texts;
      continue;
    }
    const TokenIds ids = read_template_ids(piece, component.at("special_tokens"));
    TokenIds& side = n_texts == 0 ? frame.prefix_ids : frame.suffix_ids;
    side.insert(side.end(), ids.begin(), ids.end());
  }
  if (n_texts != 1) {
    pieces.fail(fmt::format("expected one Sequence in the template, found {}", n_texts));
  }
  frame.pair = read_pair(component);
  return frame;
}

// BertProcessing and RobertaProcessing: ["[SEP]", 102] behind the text and ["[CLS]", 101] before.
Frame read_cls_and_sep(const files::JsonView& component) {
  const auto id_of = [&](std::string_view key) {
    const auto items = component.at(key).items();
    if (items.size() != 2) {
      component.at(key).fail_expected("a token and its id");
    }
    return static_cast<TokenId>(items[1].integer(0, limits::kTokenId));
  };
  Frame frame{{id_of("cls")}, {id_of("sep")}};
  if (component.at("type").string() == "BertProcessing") {
    frame.pair = PairFrame{frame.prefix_ids, frame.suffix_ids, frame.suffix_ids};
  }
  return frame;
}

void append_bert_normalizer(const files::JsonView& component,
                            std::vector<Normalizer>& normalizers) {
  const bool is_lowercase = component.boolean_or("lowercase", true);
  if (component.boolean_or("clean_text", true)) {
    normalizers.emplace_back(CleanText{});
  }
  if (component.boolean_or("handle_chinese_chars", true)) {
    normalizers.emplace_back(SpaceIdeographs{});
  }
  if (component.boolean_or("strip_accents", is_lowercase)) {
    normalizers.emplace_back(ToForm{UnicodeForm::Nfd});
    normalizers.emplace_back(DropAccents{});
  }
  if (is_lowercase) {
    normalizers.emplace_back(Lowercase{});
  }
}

}  // namespace

PreTokenizer isolated_split(std::string_view regex) {
  return Split{{}, std::make_shared<const Regex>(regex), SplitBehavior::Isolated, SplitOn::Matches};
}

PreTokenizer gpt2_split() {
  return isolated_split(
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
}

std::vector<Normalizer> read_normalizers(const files::JsonView& component) {
  std::vector<Normalizer> normalizers;
  for_each_component(component, "normalizers", [&](const files::JsonView& each) {
    switch (type_of(each, "normalizer",
                    {"NFC", "NFD", "NFKC", "NFKD", "Prepend", "Replace", "Lowercase", "Strip",
                     "BertNormalizer", "Sequence"})) {
      case 0:
        return void(normalizers.emplace_back(ToForm{UnicodeForm::Nfc}));
      case 1:
        return void(normalizers.emplace_back(ToForm{UnicodeForm::Nfd}));
      case 2:
        return void(normalizers.emplace_back(ToForm{UnicodeForm::Nfkc}));
      case 3:
        return void(normalizers.emplace_back(ToForm{UnicodeForm::Nfkd}));
      case 4:
        return void(normalizers.emplace_back(Prepend{each.at("prepend").string()}));
      case 5: {
        auto [text, regex] = read_pattern(each.at("pattern"));
        return void(normalizers.emplace_back(
            Replace{std::move(text), std::move(regex), each.at("content").string()}));
      }
      case 6:
        return void(normalizers.emplace_back(Lowercase{}));
      case 8:
        return append_bert_normalizer(each, normalizers);
      default:
        return void(normalizers.emplace_back(
            StripSpaces{each.at("strip_left").boolean(), each.at("strip_right").boolean()}));
    }
  });
  return normalizers;
}

PreTokenizers read_pre_tokenizers(const files::JsonView& component) {
  PreTokenizers result;
  for_each_component(component, "pretokenizers", [&](const files::JsonView& each) {
    const std::size_t type =
        type_of(each, "pre-tokenizer",
                {"Split", "ByteLevel", "Digits", "Metaspace", "BertPreTokenizer", "Sequence"});
    if (result.is_byte_level) {
      each.fail("expected nothing behind ByteLevel, found " + each.at("type").string());
    }
    if (type == 0) {
      result.steps.emplace_back(read_split(each));
    } else if (type == 1) {
      result.is_byte_level = true;
      if (each.boolean_or("add_prefix_space", true)) {
        result.steps.emplace_back(PrefixSpace{});
      }
      if (each.boolean_or("use_regex", true)) {
        result.steps.push_back(gpt2_split());
      }
    } else if (type == 2) {
      const bool is_single = each.boolean_or("individual_digits", false);
      result.steps.emplace_back(Digits{is_single ? DigitGroups::Single : DigitGroups::Runs});
    } else if (type == 4) {
      result.steps.emplace_back(BertWords{});
    } else {
      result.steps.emplace_back(Metaspace{each.at("replacement").string(),
                                          read_prepend_scheme(each),
                                          each.boolean_or("split", true)});
    }
  });
  return result;
}

std::vector<Decoder> read_decoders(const files::JsonView& component) {
  std::vector<Decoder> decoders;
  for_each_component(component, "decoders", [&](const files::JsonView& each) {
    switch (type_of(each, "decoder",
                    {"ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace",
                     "WordPiece", "Sequence"})) {
      case 0:
        return void(decoders.emplace_back(JoinBytes{}));
      case 1: {
        const files::JsonView text = each.at("pattern").at("String");
        return void(decoders.emplace_back(ReplaceText{text.string(), each.at("content").string()}));
      }
      case 2:
        return void(decoders.emplace_back(JoinByteTokens{}));
      case 3:
        return void(decoders.emplace_back(Fuse{}));
      case 4:
        return void(decoders.emplace_back(StripEnds{each.at("content").string(),
                                                    read_count(each.at("start")),
                                                    read_count(each.at("stop"))}));
      case 6:
        return void(decoders.emplace_back(
            JoinWordPieces{each.at("prefix").string(), each.boolean_or("cleanup", true)}));
      default:
        return void(decoders.emplace_back(RestoreSpaces{
            each.at("replacement").string(), read_prepend_scheme(each) != PrependScheme::Never}));
    }
  });
  return decoders;
}

Frame read_post_processor(const files::JsonView& component) {
  Frame frame;
  for_each_component(component, "processors", [&](const files::JsonView& each) {
    const std::size_t type = type_of(
        each, "post-processor",
        {"ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "Sequence"});
    if (type == 0) {
      return;  // trims offsets only, and ours cover the whole text
    }
    const Frame outer = type == 1 ? read_template(each) : read_cls_and_sep(each);
    frame.prefix_ids.insert(frame.prefix_ids.begin(), outer.prefix_ids.begin(),
                            outer.prefix_ids.end());
    frame.suffix_ids.insert(frame.suffix_ids.end(), outer.suffix_ids.begin(),
                            outer.suffix_ids.end());
    frame.pair = outer.pair;
  });
  return frame;
}

}  // namespace labelprobe::tokenizer
