// QueerReclaimLex (Dorn et al., 2024) in the files of its authors: QueerReclaimLex.csv with the
// posts, Annotations/Annotator<N>.xlsx with the ratings, balanced-splits.json with the splits.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/files/workbook.h"

#include "data/reading/records.h"
#include "data/reading/votes.h"

namespace labelprobe::data {

namespace {

enum class Author { InGroup, OutGroup, Both };

Author author_of(const std::string& type) {
  static const std::array<std::string, 3> kTypes = {"both", "in", "out"};
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
    throw ConfigError(unknown_choice("QueerReclaimLex type", type, kTypes));
  }
  return type == "both" ? Author::Both : type == "in" ? Author::InGroup : Author::OutGroup;
}

// How harmful a post is if its author belongs to the group or not: 0, 0.5 or 1 each, as twice that.
struct Rating {
  std::string annotator;
  int in_group_halves = 0;
  int out_group_halves = 0;
};

// In the order of the sheets; an annotator's last rating of a post, at the place of the first.
using RatingsOfPost = std::unordered_map<std::string, std::vector<Rating>>;

// 0, 1 or 2 for 0, 0.5 or 1; nothing for anything else.
std::optional<int> halves_of(const std::string& cell) {
  double score = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), score);
  if (error != std::errc() || end != cell.data() + cell.size()) {
    return std::nullopt;
  }
  return score == 0     ? std::optional(0)
         : score == 0.5 ? std::optional(1)
         : score == 1   ? std::optional(2)
                        : std::nullopt;
}

std::vector<std::filesystem::path> annotator_files(const std::filesystem::path& folder) {
  std::vector<std::pair<std::size_t, std::filesystem::path>> numbered;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    constexpr std::string_view kPrefix = "Annotator";
    const std::string stem = entry.path().stem().string();
    std::size_t number = 0;
    if (entry.path().extension() == ".xlsx" && stem.starts_with(kPrefix)) {
      const char* const end = stem.data() + stem.size();
      const auto [stop, failure] = std::from_chars(stem.data() + kPrefix.size(), end, number);
      if (failure == std::errc() && stop == end) {
        numbered.emplace_back(number, entry.path());
      }
    }
  }
  if (numbered.empty()) {
    throw DataError(folder.string() +
                    ": expected workbooks Annotator1.xlsx, Annotator2.xlsx, ..., found none");
  }
  std::sort(numbered.begin(), numbered.end());
  std::vector<std::filesystem::path> files;
  files.reserve(numbered.size());
  for (auto& [number, path] : numbered) {
    files.push_back(std::move(path));
  }
  return files;
}

void read_ratings(const files::Workbook& workbook,
                  const std::string& annotator,
                  const std::string& sheet,
                  RatingsOfPost& ratings) {
  static const std::array<std::string, 3> kColumns = {"POST", "HARMFUL_IF_IN", "HARMFUL_IF_OUT"};
  std::vector<std::size_t> columns;
  workbook.for_each_row(sheet, [&](files::SheetRow& row) {
    if (columns.empty()) {
      for (const std::string& name : kColumns) {
        const auto found = std::find(row.cells.begin(), row.cells.end(), name);
        if (found == row.cells.end()) {
          throw DataError(fmt::format("{}: expected a header with '{}', found none in this row",
                                      workbook.place_of(sheet, row.number, 0), name));
        }
        columns.push_back(static_cast<std::size_t>(found - row.cells.begin()));
      }
      return;
    }
    row.cells.resize(
        std::max(row.cells.size(), *std::max_element(columns.begin(), columns.end()) + 1));
    const auto post = ratings.find(row.cells[columns[0]]);
    const auto in_group = halves_of(row.cells[columns[1]]);
    const auto out_group = halves_of(row.cells[columns[2]]);
    if (post == ratings.end() || !in_group || !out_group) {
      return;
    }
    const Rating rating{annotator, *in_group, *out_group};
    const auto earlier = std::find_if(post->second.begin(), post->second.end(),
                                      [&](const Rating& r) { return r.annotator == annotator; });
    if (earlier == post->second.end()) {
      post->second.push_back(rating);
    } else {
      *earlier = rating;
    }
  });
  if (columns.empty()) {
    throw DataError(workbook.place_of(sheet, 1, 0) + ": expected a header, found an empty sheet");
  }
}

struct Post {
  std::string example_id;
  std::string text;
  std::string place;
};

// Every post once, where its id comes first, with the text that comes last.
std::vector<Post> read_posts(const std::filesystem::path& path, files::SwallowedRows swallowed) {
  static constexpr std::array<std::string_view, 3> kColumns = {"template_idx", "term", "template"};
  std::vector<Post> posts;
  std::unordered_map<std::string, std::size_t> position_of;
  files::for_each_row_of(open_data_file(path), ',', kColumns, swallowed, [&](files::TableRow& row) {
    const std::string example_id = fmt::format("{}-{}", row.fields[0], row.fields[1]);
    const auto [found, is_new] = position_of.emplace(example_id, posts.size());
    if (is_new) {
      posts.push_back({example_id, {}, {}});
    }
    posts[found->second].text = std::move(row.fields[2]);
    posts[found->second].place = std::move(row.place);
  });
  return posts;
}

std::unordered_set<std::string> read_split_ids(const files::JsonView& ids) {
  std::unordered_set<std::string> distinct;
  for (const std::string& id : strings_of(ids, "ids")) {
    if (!distinct.insert(id).second) {
      ids.fail(fmt::format("expected every id once, found {} again", files::shown(id)));
    }
  }
  return distinct;
}

// Labels of one rating or of the mean of several: harm from above one half.
//   n_ratings  how many ratings the halves are a sum of
Labels labels_of(int in_group_halves, int out_group_halves, int n_ratings, Author author) {
  const bool harms_in = in_group_halves > n_ratings;
  const bool harms_out = out_group_halves > n_ratings;
  if (author != Author::Both) {
    return {(author == Author::InGroup ? harms_in : harms_out) ? 1 : 0};
  }
  Labels labels;
  if (harms_in) {
    labels.push_back(0);
  }
  if (harms_out) {
    labels.push_back(1);
  }
  return labels;
}

class SplitMaker {
 public:
  SplitMaker(Author author, bool discards_ambiguous)
      : author_(author), discards_ambiguous_(discards_ambiguous) {}

  SplitRecords make(const std::string& split,
                    std::unordered_set<std::string> ids,
                    const std::vector<Post>& posts,
                    const RatingsOfPost& ratings,
                    std::vector<std::string>& warnings) const {
    SplitRecords records(split);
    std::vector<std::string> unrated;
    std::vector<std::string> ambiguous;
    for (const Post& post : posts) {
      if (ids.erase(post.example_id) == 0) {
        continue;
      }
      const std::vector<Rating>& rated = ratings.at(post.text);
      if (rated.empty()) {
        unrated.push_back(post.example_id);
      } else if (discards_ambiguous_ && is_ambiguous(rated)) {
        ambiguous.push_back(post.example_id);
      } else {
        records.add({post.example_id, post.text, votes_of(rated)}, post.place);
      }
    }
    warn(warnings, split, unrated, "have no rating that counts and are left out");
    warn(warnings, split, ambiguous, "are as harmful as not and are left out");
    std::vector<std::string> unknown(ids.begin(), ids.end());
    std::sort(unknown.begin(), unknown.end());
    warn(warnings, split, unknown, "of balanced-splits.json are not in QueerReclaimLex.csv");
    return records;
  }

 private:
  static void warn(std::vector<std::string>& warnings,
                   const std::string& split,
                   const std::vector<std::string>& ids,
                   const std::string& what) {
    if (!ids.empty()) {
      warnings.push_back(fmt::format("QueerReclaimLex, split {}: {} ids {}: {}", split, ids.size(),
                                     what, files::some_of(ids)));
    }
  }

  static Rating sum_of(const std::vector<Rating>& ratings) {
    Rating sum{std::string(kAggregate)};
    for (const Rating& rating : ratings) {
      sum.in_group_halves += rating.in_group_halves;
      sum.out_group_halves += rating.out_group_halves;
    }
    return sum;
  }

  bool is_ambiguous(const std::vector<Rating>& ratings) const {
    const Rating sum = sum_of(ratings);
    const int halves = author_ == Author::InGroup ? sum.in_group_halves : sum.out_group_halves;
    return halves == static_cast<int>(ratings.size());
  }

  std::vector<Vote> votes_of(const std::vector<Rating>& ratings) const {
    std::vector<Vote> votes;
    votes.reserve(ratings.size() + 1);
    for (const Rating& rating : ratings) {
      votes.push_back({rating.annotator,
                       labels_of(rating.in_group_halves, rating.out_group_halves, 1, author_)});
    }
    const Rating sum = sum_of(ratings);
    votes.push_back({sum.annotator, labels_of(sum.in_group_halves, sum.out_group_halves,
                                              static_cast<int>(ratings.size()), author_)});
    return votes;
  }

  Author author_;
  bool discards_ambiguous_;
};

}  // namespace

LoadedSplits load_queer_reclaim_lex(const DatasetOptions& options) {
  static const std::array<std::string, 2> kSplits = {"train", "test"};
  for (const std::string& split : options.splits) {
    check_split("QueerReclaimLex", split, kSplits);
  }
  const Author author = author_of(options.type);
  if (options.discard_ambiguous && author == Author::Both) {
    throw ConfigError(
        "QueerReclaimLex: discard_ambiguous needs type in or out: with both, a post may be "
        "ambiguous in one way only");
  }
  const std::vector<Post> posts =
      read_posts(options.root_dir / "QueerReclaimLex.csv", swallowed_rows(options));
  RatingsOfPost ratings;
  for (const Post& post : posts) {
    ratings.try_emplace(post.text);
  }
  std::vector<std::pair<std::string, files::Workbook>> workbooks;
  for (const std::filesystem::path& path : annotator_files(options.root_dir / "Annotations")) {
    workbooks.emplace_back(path.stem().string(), files::Workbook(path));
  }
  for (const std::string sheet : {"slurs", "identity terms"}) {
    for (const auto& [annotator, workbook] : workbooks) {
      read_ratings(workbook, annotator, sheet, ratings);
    }
  }
  const std::filesystem::path splits_path = options.root_dir / "balanced-splits.json";
  const files::JsonView splits = load_data_json(splits_path);
  LoadedSplits loaded;
  loaded.label_set = author == Author::Both
                         ? LabelSet({"ingroup harm", "outgroup harm"}, LabelKind::MultiLabel)
                         : LabelSet({"no harm", "harm"}, LabelKind::SingleLabel);
  const SplitMaker maker(author, options.discard_ambiguous);
  for (const std::string& split : options.splits) {
    loaded.splits.push_back(
        maker.make(split, read_split_ids(splits.at(split)), posts, ratings, loaded.warnings));
  }
  return loaded;
}

}  // namespace labelprobe::data
