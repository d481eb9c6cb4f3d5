#include "labelprobe/core/item_id.h"

#include <array>
#include <utility>

#include "labelprobe/core/error.h"

namespace labelprobe {

namespace {

struct Spelling {
  ItemId::Kind kind;
  std::string_view infix;
  std::string_view form;  // for people
  std::string_view distribution;
};

constexpr std::array kSpellings = {
    Spelling{ItemId::Kind::Unary, "_unary_", "<id>_unary_<label>", "unary"},
    Spelling{ItemId::Kind::Binary, "_binary_", "<id>_binary_<label>_<label>", "binary"},
    Spelling{ItemId::Kind::Ratio, "_ratio_", "<id>_ratio_<share>", "multilabel_ICL"},
};

const Spelling* spelling_of(ItemId::Kind kind) {
  for (const Spelling& spelling : kSpellings) {
    if (spelling.kind == kind) return &spelling;
  }
  return nullptr;
}

// What stands after the annotator.
std::string suffix_of(const ItemId& item) {
  const Spelling* spelling = spelling_of(item.kind);
  if (!spelling) return "";
  std::string suffix(spelling->infix);
  if (item.kind == ItemId::Kind::Ratio) return suffix + item.ratio;
  for (std::size_t i = 0; i < item.labels.size(); ++i) {
    suffix += (i == 0 ? "" : "_") + item.labels[i];
  }
  return suffix;
}

bool fits(std::string_view rest, ItemId::Kind kind) {
  const std::size_t underscore = rest.find('_');
  if (kind != ItemId::Kind::Binary) return !rest.empty() && underscore == rest.npos;
  return underscore != rest.npos && underscore > 0 && underscore + 1 < rest.size() &&
         rest.find('_', underscore + 1) == rest.npos;
}

}  // namespace

std::string ItemId::id() const {
  return example_id + std::string(kIdSeparator) + pseudo_annotator();
}

std::string ItemId::log_key() const {
  const bool is_aggregate = annotator == kAggregate;
  return example_id + (is_aggregate ? "" : std::string(kIdSeparator) + annotator) +
         suffix_of(*this);
}

std::string ItemId::pseudo_annotator() const {
  return annotator + suffix_of(*this);
}

ItemId ItemId::parse(std::string_view log_key, Kind kind) {
  ItemId item;
  item.kind = kind;
  if (const Spelling* spelling = spelling_of(kind)) {
    const std::size_t at = log_key.rfind(spelling->infix);
    const std::string_view rest =
        at == log_key.npos ? std::string_view() : log_key.substr(at + spelling->infix.size());
    if (at == log_key.npos || !fits(rest, kind)) {
      throw DataError("item '" + std::string(log_key) + "': expected an id of the form " +
                      std::string(spelling->form));
    }
    if (kind == Kind::Ratio) {
      item.ratio = rest;
    } else if (kind == Kind::Unary) {
      item.labels = {std::string(rest)};
    } else {
      const std::size_t underscore = rest.find('_');
      item.labels = {std::string(rest.substr(0, underscore)),
                     std::string(rest.substr(underscore + 1))};
    }
    log_key = log_key.substr(0, at);
  }
  const std::size_t separator = log_key.rfind(kIdSeparator);
  if (separator != log_key.npos) {
    item.annotator = log_key.substr(separator + kIdSeparator.size());
  }
  item.example_id = log_key.substr(0, separator);
  if (item.example_id.empty()) {
    throw DataError("item '" + std::string(log_key) + "': expected an example id before '" +
                    std::string(kIdSeparator) + "'");
  }
  return item;
}

ItemId::Kind ItemId::kind_of(std::string_view log_key) {
  for (const Spelling& spelling : kSpellings) {
    const std::size_t at = log_key.rfind(spelling.infix);
    if (at != log_key.npos && at > 0 &&
        fits(log_key.substr(at + spelling.infix.size()), spelling.kind)) {
      return spelling.kind;
    }
  }
  return Kind::Example;
}

std::string_view distribution_name(ItemId::Kind kind) {
  const Spelling* spelling = spelling_of(kind);
  return spelling ? spelling->distribution : "baseline";
}

}  // namespace labelprobe
