// The paper's breakdown prompts: one label at a time, or two against each other. Their texts are
// fixed and have no templates; unlike completion prompts they are not stripped and end in a space.
#include <algorithm>

#include "labelprobe/core/error.h"

#include "prompt/sampling/demonstrations.h"

namespace labelprobe::prompt {

namespace {

constexpr std::string_view kUnaryInstruction =
    "Classify the following question-label pairs as either \"reasonable\" or \"unreasonable\". "
    "Output either \"reasonable\" or \"unreasonable\" and nothing else.\n\n";
constexpr std::string_view kBinaryInstruction =
    "Classify the following question into one of the two following labels. Output either \"a\" or "
    "\"b\" depending on which label is better and nothing else.\n\n";

std::string unary_text(std::string_view text, std::string_view label) {
  std::string asked;
  asked.append("Question: ").append(text).append("\nLabel: ").append(label);
  return asked.append("\nIs the label reasonable: ");
}

std::string binary_text(std::string_view text, std::string_view a, std::string_view b) {
  std::string asked;
  asked.append("Question: ").append(text).append("\na. ").append(a).append("\nb. ").append(b);
  return asked.append("\nCorrect Label: ");
}

std::string draw_name(const std::vector<std::string>& names, python::Random& random) {
  return random.choice(std::span<const std::string>(names));
}

// A label that the demonstration has. Drawn only in multi-label sets, but there even from one.
std::string draw_right(const Demonstration& shown,
                       const LabelSet& label_set,
                       python::Random& random) {
  if (shown.labels.empty()) {
    return std::string(kNoneLabel);
  }
  const std::vector<std::string> names = label_set.names_of(shown.labels);
  return label_set.is_multilabel() ? draw_name(names, random) : names.at(0);
}

// A label that the demonstration does not have. The published code could draw `none` for one
// without labels, calling its right label wrong; here that is left out.
std::string draw_wrong(const Demonstration& shown,
                       const LabelSet& label_set,
                       python::Random& random) {
  std::vector<std::string> wrong;
  for (LabelIndex label = 0; label < label_set.size(); ++label) {
    if (!std::binary_search(shown.labels.begin(), shown.labels.end(), label)) {
      wrong.push_back(label_set.names()[static_cast<std::size_t>(label)]);
    }
  }
  if (label_set.is_multilabel() && !shown.labels.empty()) {
    wrong.emplace_back(kNoneLabel);
  }
  return wrong.empty() ? std::string(kNoneLabel) : draw_name(wrong, random);
}

// Half of the demonstrations are shown with a label they have; by chance one more if their number
// is odd.
std::vector<bool> draw_reasonable(std::size_t n_demonstrations, python::Random& random) {
  std::size_t n_reasonable = n_demonstrations / 2;
  if (n_demonstrations % 2 == 1 && random.random() < 0.5) {
    ++n_reasonable;
  }
  std::vector<int> is_reasonable(n_demonstrations, 0);
  std::fill_n(is_reasonable.begin(), n_reasonable, 1);
  random.shuffle(is_reasonable);
  return {is_reasonable.begin(), is_reasonable.end()};
}

std::string begin_unary(const std::vector<Demonstration>& demonstrations,
                        const LabelSet& label_set,
                        python::Random& random) {
  const std::vector<bool> is_reasonable = draw_reasonable(demonstrations.size(), random);
  std::string text(kUnaryInstruction);
  for (std::size_t i = 0; i < demonstrations.size(); ++i) {
    const Demonstration& shown = demonstrations[i];
    const std::string label = is_reasonable[i] ? draw_right(shown, label_set, random)
                                               : draw_wrong(shown, label_set, random);
    text += unary_text(shown.example->text, label);
    text.append(kUnaryItems.words[is_reasonable[i] ? 0 : 1]).append("\n\n");
  }
  return text;
}

std::string begin_binary(const std::vector<Demonstration>& demonstrations,
                         const LabelSet& label_set,
                         python::Random& random) {
  std::string text(kBinaryInstruction);
  for (const Demonstration& shown : demonstrations) {
    const std::string right = draw_right(shown, label_set, random);
    const std::string wrong = draw_wrong(shown, label_set, random);
    const bool is_a_right = random.random() < 0.5;
    text += is_a_right ? binary_text(shown.example->text, right, wrong)
                       : binary_text(shown.example->text, wrong, right);
    text.append(kBinaryItems.words[is_a_right ? 0 : 1]).append("\n\n");
  }
  return text;
}

// What all items of a query begin with; built once for them.
struct BreakdownBeginning {
  std::string text;
  ShownExamples shown;
};

using Begin = std::string (*)(const std::vector<Demonstration>&, const LabelSet&, python::Random&);

// The ids of such items are taken apart at underscores.
void check_label_names(const LabelSet& label_set) {
  for (const std::string& name : label_set.names()) {
    if (name.find('_') != std::string::npos) {
      throw ConfigError("the label '" + name +
                        "' has an underscore, which the ids of unary and binary items cannot hold");
    }
  }
}

// One item per query and choice of labels, in order.
template <class Ask>
std::vector<Query> make_items(const Task& task,
                              Begin begin,
                              const ItemForm& form,
                              const std::vector<std::vector<std::string>>& choices,
                              Ask ask) {
  check_label_names(task.label_set);
  const DemonstrationDraws draws(task, task.options.sampling);
  PerQuery<BreakdownBeginning> beginnings(
      task, task.options.sampling, [&](python::Random& random, const DrawRequest& request) {
        const std::vector<Demonstration> shown = draws.draw(random, request);
        return BreakdownBeginning{begin(shown, task.label_set, random), examples_of(shown)};
      });
  std::vector<Query> made;
  made.reserve(task.queries.size() * choices.size());
  for (const Example& example : task.queries) {
    const BreakdownBeginning& beginning = beginnings.next();
    for (const std::vector<std::string>& labels : choices) {
      made.push_back(start_query(example, beginning.shown, task.options));
      made.back().item.form = &form;
      made.back().item.parts = labels;
      made.back().text = beginning.text + ask(example.text, labels);
    }
  }
  return made;
}

}  // namespace

std::vector<Query> make_unary(const Task& task) {
  std::vector<std::vector<std::string>> choices;
  for (const std::string& name : task.label_set.names_with_none()) {
    choices.push_back({name});
  }
  return make_items(task, begin_unary, kUnaryItems, choices,
                    [](std::string_view text, const std::vector<std::string>& labels) {
                      return unary_text(text, labels[0]);
                    });
}

std::vector<Query> make_binary(const Task& task) {
  const std::vector<std::string> names = task.label_set.names_with_none();
  std::vector<std::vector<std::string>> choices;
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = i + 1; j < names.size(); ++j) {
      choices.push_back({names[i], names[j]});
    }
  }
  return make_items(task, begin_binary, kBinaryItems, choices,
                    [](std::string_view text, const std::vector<std::string>& labels) {
                      return binary_text(text, labels[0], labels[1]);
                    });
}

}  // namespace labelprobe::prompt
