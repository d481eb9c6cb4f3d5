#include "record/log/entry_reader.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/item_id.h"
#include "labelprobe/record/fields.h"

#include "record/log/log_names.h"

namespace labelprobe::record {

namespace {

enum class Absent { KeepsDefault, IsAnError };

// Reads the values of one mapping; every failure says the line and the field.
class EntryReader {
 public:
  explicit EntryReader(const files::YamlView& entry) : entry_(entry) {}

  // Reads a field of the item.
  template <class Value>
  void operator()(const Field& field, Value& value) const {
    if (!field.log_name) return;
    if (!field.log_part) return take(field.log_name, value);
    const auto mapping = entry_.find(field.log_name);
    if (!mapping) return;
    if (!mapping->is_map())
      fail(*mapping, field.log_name, fmt::format("a mapping with {}", field.log_part));
    if (const auto node = mapping->find(field.log_part)) read(*node, field.log_name, value);
  }

  void operator()(const Field&, LabelKind&) const {}  // seen from the form of the gold labels

  // Reads what the entry has under `name`; without it, or of null, `value` stays as it is.
  template <class Value>
  void take(const char* name, Value& value) const {
    const auto node = entry_.find(name);
    if (node && !node->is_null()) read(*node, name, value);
  }

  std::optional<files::YamlView> find(const char* name) const { return entry_.find(name); }

  void read(const files::YamlView& node,
            const std::string&,
            std::vector<std::string>& names) const {
    if (node.is_scalar()) {
      names.push_back(node.text());
    } else if (node.is_list()) {
      for (const files::YamlView& name : node.items()) names.push_back(name.text());
    }
  }

  void read(const files::YamlView& node, const std::string& name, std::string& text) const {
    if (!node.is_scalar()) fail(node, name, "a text");
    text = node.text();
  }

  void read(const files::YamlView& node, const std::string& name, float& number) const {
    number = expect(node, name, node.float32(), "a number");
  }

  void read(const files::YamlView& node, const std::string& name, bool& is_true) const {
    is_true = expect(node, name, node.boolean(), "true or false");
  }

  template <std::signed_integral Integer>
  void read(const files::YamlView& node, const std::string& name, Integer& number) const {
    const std::int64_t found = expect(node, name, node.integer(), "an integer");
    if (!std::in_range<Integer>(found)) fail(node, name, "an integer of fewer digits");
    number = static_cast<Integer>(found);
  }

  void read(const files::YamlView& node, const std::string& name, AnswerSource& source) const {
    read_named(node, name, kAnswerSources, "listed, searched or nothing", source);
  }

  void read(const files::YamlView& node,
            const std::string& name,
            Normalisation& normalisation) const {
    read_named(node, name, kNormalisations, "vocab, labelset or answer", normalisation);
  }

  void read(const files::YamlView& node, const std::string& name, ReadoutPlace& place) const {
    read_named(node, name, kReadoutPlaces, "prompt, first or healed", place);
  }

  void read(const files::YamlView& node, const std::string& name, DrawEnd& end) const {
    read_named(node, name, kDrawEnds, "closed, off_format or cut", end);
  }

  void read(const files::YamlView& node, const std::string& name, SpaceVariant& variant) const {
    std::string spelled;
    read(node, name, spelled);
    for (const SpaceVariant known : {SpaceVariant::Bare, SpaceVariant::Spaced}) {
      if (spelled == name_of(known)) {
        variant = known;
        return;
      }
    }
    fail(node, name, "bare or spaced");
  }

  void read(const files::YamlView& node, const std::string& name, LabelValues& values) const {
    if (!node.is_map()) fail(node, name, "a mapping of label names to numbers");
    for (const auto& [label, value] : node.members()) {
      read(value, name, values.emplace_back(label.text(), 0.0F).second);
    }
  }

  void read(const files::YamlView& node, const std::string& name, LikelyToken& token) const {
    if (!node.is_list() || node.items().size() != 2) fail(node, name, "[token, logit]");
    token.text = node.items()[0].text();
    read(node.items()[1], name, token.logit);
  }

  void read(const files::YamlView& node, const std::string& name, AttentionShare& share) const {
    if (!node.is_list() || node.items().size() != 2) fail(node, name, "[weight, positions]");
    read(node.items()[0], name, share.weight);
    read(node.items()[1], name, share.n_positions);
  }

  // Published logs have no label_token.
  void read(const files::YamlView& node, const std::string& name, LabelAttention& attention) const {
    read_fields(node, name, attention, Absent::KeepsDefault);
  }

  void read(const files::YamlView& node, const std::string& name, LabelStep& step) const {
    read_fields(node, name, step, Absent::KeepsDefault);
  }

  void read(const files::YamlView& node, const std::string& name, AnswerReading& reading) const {
    read_fields(node, name, reading, Absent::IsAnError);
  }

  void read(const files::YamlView& node, const std::string& name, ReadoutValues& values) const {
    read_fields(node, name, values, Absent::KeepsDefault);
    if (values.name.empty()) fail(node, name, "a mapping with name");
  }

  void read(const files::YamlView& node, const std::string& name, SetProbability& set) const {
    read_fields(node, name, set, Absent::IsAnError);
  }

  void read(const files::YamlView& node, const std::string& name, SlotValues& slot) const {
    read_fields(node, name, slot, Absent::KeepsDefault);
  }

  void read(const files::YamlView& node, const std::string& name, DrawnAnswer& drawn) const {
    read_fields(node, name, drawn, Absent::KeepsDefault);
  }

  template <class Value>
  void read(const files::YamlView& node,
            const std::string& name,
            std::optional<Value>& value) const {
    if (!node.is_null()) read(node, name, value.emplace());
  }

  template <class Value>
  void read(const files::YamlView& node,
            const std::string& name,
            std::vector<Value>& values) const {
    if (!node.is_list()) fail(node, name, "a list");
    for (const files::YamlView& element : node.items()) read(element, name, values.emplace_back());
  }

  [[noreturn]] void fail(const files::YamlView& node,
                         const std::string& name,
                         const std::string& expected) const {
    node.fail(fmt::format("{}: expected {}, found {}", name, expected, node.shown()));
  }

 private:
  template <class Enum, std::size_t n>
  void read_named(const files::YamlView& node,
                  const std::string& name,
                  const EnumNames<Enum, n>& names,
                  const char* expected,
                  Enum& value) const {
    std::string spelled;
    read(node, name, spelled);
    const auto found = names.find(spelled);
    if (!found) fail(node, name, expected);
    value = *found;
  }

  template <class Value>
  Value expect(const files::YamlView& node,
               const std::string& name,
               const std::optional<Value>& value,
               const char* expected) const {
    if (!value) fail(node, name, expected);
    return *value;
  }

  template <class Record>
  void read_fields(const files::YamlView& node,
                   const std::string& name,
                   Record& record,
                   Absent absent) const {
    if (!node.is_map()) fail(node, name, "a mapping");
    visit_fields(record, [&](const Field& field, auto& value) {
      if (!field.log_name) return;
      if (const auto part = node.find(field.log_name)) {
        read(*part, name, value);
      } else if (absent == Absent::IsAnError) {
        fail(node, name, fmt::format("a mapping with {}", field.log_name));
      }
    });
  }

  const files::YamlView& entry_;
};

// The steps' probabilities, and of logs that have no test_label_steps what they tell of the first.
class StepReader {
 public:
  StepReader(const EntryReader& entry, ItemRecord& item) : entry_(entry), item_(item) {}

  void read() const {
    const std::vector<LabelValues> probs = probs_of_steps();
    if (item_.label_steps.empty()) {
      item_.label_steps.resize(probs.size());
      if (!probs.empty()) read_first_step(item_.label_steps.front());
    } else if (item_.label_steps.size() != probs.size()) {
      entry_.fail(*entry_.find("test_label_steps"), "test_label_steps",
                  fmt::format("as many steps as there are label probabilities, {}", probs.size()));
    }
    for (std::size_t i = 0; i < probs.size(); ++i) item_.label_steps[i].logged_probs = probs[i];
    if (!item_.is_label_found()) read_stand_ins();
    check_found();
  }

 private:
  std::vector<LabelValues> probs_of_steps() const {
    std::vector<LabelValues> probs;
    const auto scores = entry_.find(kScores);
    if (scores && scores->is_list()) {  // the plain prompting programs log all steps there
      if (!scores->items().empty() && scores->items().front().is_scalar()) {
        entry_.fail(*scores, kScores,
                    "probabilities at label steps; numbers alone are the log of a trained "
                    "classifier, which labelprobe extract-scores takes");
      }
      entry_.take(kScores, probs);
    } else if (entry_.find(kAllScores)) {
      entry_.take(kAllScores, probs);
    } else if (scores && is_said_to_be_found()) {
      entry_.take(kScores, probs.emplace_back());
    }
    return probs;
  }

  void read_first_step(LabelStep& step) const {
    entry_.take(kLogits, step.logits);
    entry_.take(kFirstIndex, step.index);
    entry_.take(kTopTokens, step.likely_tokens);
  }

  void read_stand_ins() const {
    if (const auto scores = entry_.find(kScores); scores && scores->is_map()) {
      entry_.take(kScores, item_.stand_in_probs);
    }
    entry_.take(kTopTokens, item_.opening_tokens);
  }

  bool is_said_to_be_found() const {
    bool is_found = false;
    entry_.take(kLabelFound, is_found);
    return is_found;
  }

  void check_found() const {
    const auto found = entry_.find(kLabelFound);
    if (found && is_said_to_be_found() != item_.is_label_found()) {
      entry_.fail(*found, kLabelFound,
                  item_.is_label_found() ? "true where there are probabilities of a label step"
                                         : "false where there are none of any label step");
    }
  }

  const EntryReader& entry_;
  ItemRecord& item_;
};

}  // namespace

ItemRecord read_entry(const std::string& key, const files::YamlView& entry) {
  if (!entry.is_map()) entry.fail_expected("a mapping of fields to values");
  ItemRecord item;
  item.key = key;
  const auto gold = entry.find("test_gt");
  item.kind = gold && gold->is_scalar() && !gold->is_null() ? LabelKind::SingleLabel
                                                            : LabelKind::MultiLabel;
  const EntryReader reader(entry);
  visit_fields(item, reader);
  StepReader(reader, item).read();
  return item;
}

}  // namespace labelprobe::record
