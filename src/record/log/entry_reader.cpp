#include "record/log/entry_reader.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/record/fields.h"

#include "record/log/log_names.h"

namespace labelprobe::record {

namespace {

enum class Absent { KeepsDefault, IsAnError };

// Reads the values of one mapping; every failure says the line and the field.
class EntryReader {
 public:
  EntryReader(const EntryPlace& place, const YAML::Node& entry) : place_(place), entry_(entry) {}

  // Reads a field of the item.
  template <class Value>
  void operator()(const Field& field, Value& value) const {
    if (!field.log_name) return;
    if (!field.log_part) return take(field.log_name, value);
    const YAML::Node mapping = entry_[field.log_name];
    if (!mapping) return;
    if (!mapping.IsMap())
      fail(mapping, field.log_name, std::string("a mapping with ") + field.log_part);
    if (const YAML::Node node = mapping[field.log_part]) read(node, field.log_name, value);
  }

  void operator()(const Field&, LabelKind&) const {}  // seen from the form of the gold labels

  // Reads what the entry has under `name`; without it, or of null, `value` stays as it is.
  template <class Value>
  void take(const char* name, Value& value) const {
    const YAML::Node node = entry_[name];
    if (node && !node.IsNull()) read(node, name, value);
  }

  YAML::Node operator[](const char* name) const { return entry_[name]; }

  void read(const YAML::Node& node, const std::string&, std::vector<std::string>& names) const {
    if (node.IsScalar()) {
      names.push_back(node.Scalar());
    } else if (node.IsSequence()) {
      for (const YAML::Node& name : node) names.push_back(name.as<std::string>());
    }
  }

  void read(const YAML::Node& node, const std::string& name, std::string& text) const {
    if (!node.IsScalar()) fail(node, name, "a text");
    text = node.Scalar();
  }

  void read(const YAML::Node& node, const std::string& name, float& number) const {
    convert(node, name, number, "a number");
  }

  void read(const YAML::Node& node, const std::string& name, bool& is_true) const {
    convert(node, name, is_true, "true or false");
  }

  template <std::signed_integral Integer>
  void read(const YAML::Node& node, const std::string& name, Integer& number) const {
    convert(node, name, number, "an integer");
  }

  void read(const YAML::Node& node, const std::string& name, SpaceVariant& variant) const {
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

  void read(const YAML::Node& node, const std::string& name, LabelValues& values) const {
    if (!node.IsMap()) fail(node, name, "a mapping of label names to numbers");
    for (const auto& entry : node) {
      read(entry.second, name, values.emplace_back(entry.first.Scalar(), 0.0F).second);
    }
  }

  void read(const YAML::Node& node, const std::string& name, LikelyToken& token) const {
    if (!node.IsSequence() || node.size() != 2) fail(node, name, "[token, logit]");
    token.text = node[0].as<std::string>();
    read(node[1], name, token.logit);
  }

  void read(const YAML::Node& node, const std::string& name, LabelStep& step) const {
    read_fields(node, name, step, Absent::KeepsDefault);
  }

  void read(const YAML::Node& node, const std::string& name, AnswerReading& reading) const {
    read_fields(node, name, reading, Absent::IsAnError);
  }

  template <class Value>
  void read(const YAML::Node& node, const std::string& name, std::optional<Value>& value) const {
    if (!node.IsNull()) read(node, name, value.emplace());
  }

  template <class Value>
  void read(const YAML::Node& node, const std::string& name, std::vector<Value>& values) const {
    if (!node.IsSequence()) fail(node, name, "a list");
    for (const YAML::Node& element : node) read(element, name, values.emplace_back());
  }

  [[noreturn]] void fail(const YAML::Node& node,
                         const std::string& name,
                         const std::string& expected) const {
    const std::size_t line =
        place_.first_line + static_cast<std::size_t>(std::max(node.Mark().line, 0)) + 1;
    throw DataError(place_.file + ":" + std::to_string(line) + ": " + name + ": expected " +
                    expected + (node.IsScalar() ? ", found '" + node.Scalar() + "'" : ""));
  }

 private:
  template <class Value>
  void convert(const YAML::Node& node,
               const std::string& name,
               Value& value,
               const char* expected) const {
    if (!node.IsScalar() || !YAML::convert<Value>::decode(node, value)) fail(node, name, expected);
  }

  template <class Record>
  void read_fields(const YAML::Node& node,
                   const std::string& name,
                   Record& record,
                   Absent absent) const {
    if (!node.IsMap()) fail(node, name, "a mapping");
    visit_fields(record, [&](const Field& field, auto& value) {
      if (!field.log_name) return;
      const YAML::Node part = node[field.log_name];
      if (part) {
        read(part, name, value);
      } else if (absent == Absent::IsAnError) {
        fail(node, name, std::string("a mapping with ") + field.log_name);
      }
    });
  }

  const EntryPlace& place_;
  const YAML::Node& entry_;
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
      entry_.fail(
          entry_["test_label_steps"], "test_label_steps",
          "as many steps as there are label probabilities, " + std::to_string(probs.size()));
    }
    for (std::size_t i = 0; i < probs.size(); ++i) item_.label_steps[i].logged_probs = probs[i];
    if (!item_.is_label_found()) read_stand_ins();
    check_found();
  }

 private:
  std::vector<LabelValues> probs_of_steps() const {
    std::vector<LabelValues> probs;
    const YAML::Node scores = entry_[kScores];
    if (scores && scores.IsSequence()) {  // the plain prompting programs log all steps there
      entry_.take(kScores, probs);
    } else if (entry_[kAllScores]) {
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
    if (const YAML::Node scores = entry_[kScores]; scores && scores.IsMap()) {
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
    const YAML::Node found = entry_[kLabelFound];
    if (found && is_said_to_be_found() != item_.is_label_found()) {
      entry_.fail(found, kLabelFound,
                  item_.is_label_found() ? "true where there are probabilities of a label step"
                                         : "false where there are none of any label step");
    }
  }

  const EntryReader& entry_;
  ItemRecord& item_;
};

}  // namespace

ItemRecord read_entry(const EntryPlace& place, const std::string& key, const YAML::Node& entry) {
  ItemRecord item;
  item.key = key;
  item.annotator = ItemId::parse(key, item_form_of(key)).pseudo_annotator();
  const YAML::Node gold = entry["test_gt"];
  item.kind = gold && gold.IsScalar() ? LabelKind::SingleLabel : LabelKind::MultiLabel;
  const EntryReader reader(place, entry);
  visit_fields(item, reader);
  StepReader(reader, item).read();
  return item;
}

}  // namespace labelprobe::record
