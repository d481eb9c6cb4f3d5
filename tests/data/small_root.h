// A data folder that a test writes for itself and spoils as it likes.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::data {

class SmallRoot {
 public:
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  void remove(const std::string& name) { std::filesystem::remove(path(name)); }
  // The first `from` of the file becomes `to`; the file has to hold it.
  void replace(const std::string& name, const std::string& from, const std::string& to) {
    std::stringstream content;
    content << std::ifstream(path(name), std::ios::binary).rdbuf();
    std::string text = content.str();
    REQUIRE(text.find(from) != std::string::npos);
    write(name, text.replace(text.find(from), from.size(), to));
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  DatasetOptions options(std::vector<std::string> splits) const {
    DatasetOptions options;
    options.root_dir = folder_.path();
    options.splits = std::move(splits);
    return options;
  }

 private:
  support::TempFolder folder_;
};

// A copy of a folder of tests/fixtures/data.
class FixtureRoot : public SmallRoot {
 public:
  explicit FixtureRoot(const std::string& name) {
    std::filesystem::copy(support::fixture("data/" + name), path(""),
                          std::filesystem::copy_options::recursive);
  }
};

// The first `from` of the file of a fixture becomes `to`, and loading `split` fails with a
// DataError that holds the file's path and `message`.
struct Spoilt {
  std::string file;
  std::string from;
  std::string to;
  std::string message;
};

inline void expect_data_error(const std::string& dataset,
                              const DatasetOptions& options,
                              const std::string& message) {
  INFO(message);
  REQUIRE_THROWS_AS(load(dataset, options), DataError);
  REQUIRE_THROWS_WITH(load(dataset, options), ContainsSubstring(message));
}

inline void expect_spoilt(const std::string& dataset,
                          const std::string& fixture,
                          const std::string& split,
                          const std::vector<Spoilt>& cases) {
  for (const Spoilt& spoilt : cases) {
    FixtureRoot root(fixture);
    root.replace(spoilt.file, spoilt.from, spoilt.to);
    expect_data_error(dataset, root.options({split}), root.path(spoilt.file) + spoilt.message);
  }
}

inline const std::string kEmotionsTxt =
    "admiration\namusement\nanger\nannoyance\napproval\ncaring\nconfusion\ncuriosity\ndesire\n"
    "disappointment\ndisapproval\ndisgust\nembarrassment\nexcitement\nfear\ngratitude\ngrief\njoy\n"
    "love\nnervousness\noptimism\npride\nrealization\nrelief\nremorse\nsadness\nsurprise\nneutral";

// "text<TAB>label numbers<TAB>id" rows of one split.
inline const std::string kTrainTsv =
    "Such a lovely day\t17\tb2\n"
    "Who did that?\t7,2\ta1\n"
    "The door is open.\t27\tc3\n";

// One row of a raters' file; `emotions` are column numbers of emotions.txt.
inline std::string rater_row(const std::string& example_id,
                             const std::string& rater,
                             const std::vector<int>& emotions,
                             const std::string& mark = "1") {
  std::string row = "text," + example_id + ",author,subreddit,link,parent,1.0," + rater + ",False";
  for (int i = 0; i < 28; ++i) {
    bool is_on = false;
    for (const int emotion : emotions) {
      is_on = is_on || emotion == i;
    }
    row += "," + (is_on ? mark : std::string("0"));
  }
  return row + "\n";
}

inline std::string rater_header() {
  std::string header =
      "text,id,author,subreddit,link_id,parent_id,created_utc,rater_id,example_very_unclear";
  std::string names = "," + kEmotionsTxt;
  for (char& c : names) {
    c = c == '\n' ? ',' : c;
  }
  return header + names + "\n";
}

// Three train examples; b2 and a1 have raters.
class SmallGoEmotions : public SmallRoot {
 public:
  SmallGoEmotions() {
    write("emotions.txt", kEmotionsTxt);
    write("train.tsv", kTrainTsv);
    write("dev.tsv", "Good luck!\t20\td4\nA new first text\t14\tb2\n");
    write("goemotions_1.csv",
          rater_header() + rater_row("b2", "7", {17}) + rater_row("a1", "7", {2}));
    write("goemotions_2.csv", rater_header() + rater_row("b2", "5", {18, 0}));
    write("goemotions_3.csv",
          rater_header() + rater_row("zz", "9", {1}) + rater_row("a1", "9", {}));
  }
};

inline std::vector<std::string> ids_of(const Dataset& dataset) {
  std::vector<std::string> ids;
  for (const Example& example : dataset.examples) {
    ids.push_back(example.id());
  }
  return ids;
}

}  // namespace labelprobe::data
