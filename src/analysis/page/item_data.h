// One item of a log as a report's page has it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/analysis/inspections.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::analysis {

using PageJson = nlohmann::ordered_json;

// Rounded to four digits; null for what is no number.
PageJson page_number(double number);

// The lists of labels that a run's numbers are about, each once.
class LabelLists {
 public:
  // [number of the list, number of each label..]
  PageJson encode(const record::LabelValues& values);
  std::size_t number_of(const std::vector<std::string>& names);
  const std::vector<std::vector<std::string>>& lists() const { return lists_; }

 private:
  std::vector<std::vector<std::string>> lists_;
};

// All but the prompt. What is empty is left out.
PageJson item_data(const record::ItemRecord& item, LabelLists& lists);

// Per step of what was seen inside the model: "labels", the number of their list; "written", a
// place in it; "lens" [L + 1][n] and each part's "without" [n], probabilities in thousandths;
// "ranks", "attention", "mlp" and "parts" as in SeenStep, additions in hundredths.
PageJson inside_data(const SeenItem& item, LabelLists& lists);

}  // namespace labelprobe::analysis
