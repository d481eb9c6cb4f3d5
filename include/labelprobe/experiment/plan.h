// The ways of asking, one row each: what is asked of an example, what answers look like, what is
// right, what is measured and how it is logged. Everything in which one way differs from another
// stands in its row; the other files ask the row and never for its name.
// To add one, write its file in src/experiment/plans and name it in the table of plans.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/classification_metrics.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/experiment/answers.h"
#include "labelprobe/prompt/chat.h"
#include "labelprobe/prompt/queries.h"
#include "labelprobe/prompt/template.h"
#include "labelprobe/record/run.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

struct Settings;
struct Questions;

// What is known when a plan says how its answers are read.
struct AnswerTask {
  const Settings& settings;
  const Questions& questions;
  const tokenizer::Tokenizer& tokenizer;  // outlives the answers
  const prompt::ChatFormat* chat;         // null: prompts are texts to complete
};

struct Plan {
  std::string_view name;
  std::string_view summary;
  // `labelprobe run` asks so where --distribution has the name; else it is a command of its own.
  bool is_distribution = true;
  std::string_view other_name = {};  // that --distribution takes too; logs have `name`

  // What is asked. How items are named is said by their ItemForm.
  prompt::MakeQueries make_queries = nullptr;
  prompt::Templates (*make_templates)(const Settings&, const LabelSet&) = nullptr;
  bool has_own_templates = false;  // what the user gives is left aside
  bool can_chat = false;           // its prompts can be messages of a chat
  bool samples_by_itself = false;  // whatever sampling strategy is asked for
  bool shows_labels = false;  // each text with a label that is asked about (prompt::PairOptions)
  bool asks_known_annotators = false;  // only those that have training examples

  // What answers. Null: the labels of the data set.
  std::vector<std::string> (*answer_words)(const Settings&) = nullptr;
  bool lists_labels = false;  // in the label format: the parser searches answers that do not
  Answers (*make_answers)(const AnswerTask&) = nullptr;
  std::string_view when_missing = {};  // what "3 of 40 answers" do that say nothing

  // What is right, as labels of Questions::answer_set; unset where nothing is.
  std::optional<Labels> (*right_answer)(const Questions&, const prompt::Query&) = nullptr;
  std::map<std::string, double> (*metrics)(std::span<const analysis::LabelledPair>,
                                           const LabelSet& answer_set) = nullptr;

  // What is logged.
  bool logs_right_answer = false;  // as gold, in place of the example's labels
  record::LogLayout layout = {};
  std::string_view category_ending = {};  // of the folder below the log root: the task's name, this
};

// In the order --help shows them.
std::span<const Plan* const> plans();

// The plan of that name. ConfigError naming the known ones.
const Plan& find_plan(std::string_view name);

// The same among those that --distribution takes.
const Plan& find_distribution(std::string_view name);

}  // namespace labelprobe::experiment
