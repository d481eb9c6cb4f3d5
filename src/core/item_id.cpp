#include "labelprobe/core/item_id.h"

#include <algorithm>

#include "labelprobe/core/error.h"

namespace labelprobe {

namespace {

// The forms that ids are looked through for; what is of none of them is a plain item.
constexpr std::array kNamedForms = {&kUnaryItems, &kBinaryItems, &kRatioItems};

std::string infix_of(const ItemForm& form) {
  return "_" + std::string(form.name) + "_";
}

// What stands after the annotator.
std::string suffix_of(const ItemId& item) {
  std::string suffix = item.form->name.empty() ? "" : "_" + std::string(item.form->name);
  for (const std::string& part : item.parts) suffix += "_" + part;
  return suffix;
}

std::vector<std::string> split_parts(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t at = text.find('_'); at != text.npos; at = text.find('_')) {
    parts.emplace_back(text.substr(0, at));
    text = text.substr(at + 1);
  }
  parts.emplace_back(text);
  return parts;
}

// A key of a named form: where the form's name begins, and what follows it. No parts: the key is
// not of the form.
struct NamedKey {
  std::size_t n_before = 0;
  std::vector<std::string> parts;
};

NamedKey take_apart(std::string_view log_key, const ItemForm& form) {
  const std::string infix = infix_of(form);
  const std::size_t at = log_key.rfind(infix);
  if (at == log_key.npos) return {};
  std::vector<std::string> parts = split_parts(log_key.substr(at + infix.size()));
  const bool has_empty =
      std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
  if (has_empty || parts.size() != static_cast<std::size_t>(form.n_parts)) return {};
  return {at, std::move(parts)};
}

}  // namespace

std::string ItemForm::spelling() const {
  std::string text = name.empty() ? "<id>" : "<id>_" + std::string(name);
  for (int i = 0; i < n_parts; ++i) text.append("_<").append(part).append(">");
  return text;
}

const ItemForm* named_form_of_plan(std::string_view plan) {
  const auto found = std::find_if(kNamedForms.begin(), kNamedForms.end(),
                                  [&](const ItemForm* form) { return form->plan == plan; });
  return found == kNamedForms.end() ? nullptr : *found;
}

const ItemForm& item_form_of(std::string_view log_key) {
  for (const ItemForm* form : kNamedForms) {
    const NamedKey key = take_apart(log_key, *form);
    if (!key.parts.empty() && key.n_before > 0) return *form;
  }
  return kPlainItems;
}

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

ItemId ItemId::parse(std::string_view log_key, const ItemForm& form) {
  ItemId item{.example_id = {}, .form = &form};
  if (!form.name.empty()) {
    NamedKey key = take_apart(log_key, form);
    if (key.parts.empty()) {
      throw DataError("item '" + std::string(log_key) + "': expected an id of the form " +
                      form.spelling());
    }
    item.parts = std::move(key.parts);
    log_key = log_key.substr(0, key.n_before);
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

}  // namespace labelprobe
