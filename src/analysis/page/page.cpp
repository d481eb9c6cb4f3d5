#include <ostream>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/report_page.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/compressed.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/record/provenance.h"

#include "analysis/page/page_data.h"
#include "analysis/page/page_head.h"
#include "analysis/page/page_texts.h"

namespace labelprobe::analysis {

namespace {

// "2 runs of GoEmotions, 360 items"
std::string summary(const ReportPage& page) {
  std::set<std::string> tasks;
  std::size_t n_items = 0;
  for (const ReportedRun& run : page.runs) {
    if (!run.task.empty()) tasks.insert(run.task);
    n_items += run.log.items.size();
  }
  const std::size_t n_runs = page.runs.size();
  return fmt::format("{} run{}{}{}, {} items", n_runs, n_runs == 1 ? "" : "s",
                     tasks.empty() ? "" : " of ", fmt::join(tasks, " and "), n_items);
}

using Named = std::vector<std::pair<const char*, std::string_view>>;

// To the sections that there are.
std::string links(const Named& sections) {
  constexpr std::pair<std::string_view, std::string_view> kTitles[] = {{"runs", "Runs"},
                                                                       {"notes", "Notes"},
                                                                       {"tables", "Votes"},
                                                                       {"validity", "Trust"},
                                                                       {"pictures", "Pictures"}};
  std::string html;
  for (const auto& [id, title] : kTitles) {
    for (const auto& [name, content] : sections) {
      if (id == name && !content.empty()) {
        html += fmt::format("<a href=\"#{}\">{}</a>\n", id, title);
      }
    }
  }
  return html;
}

std::string own_links(const ReportPage& page) {
  std::string html;
  for (const ReportSection& own : page.sections) {
    html += fmt::format("<a href=\"#{}\">{}</a>\n", own.id,
                        files::escape_html(own.title.substr(0, own.title.find(':'))));
  }
  return html;
}

// The page's text with the value of each {{name}} in its place. Values may hold anything.
void fill(std::ostream& out, std::string_view text, const Named& values) {
  while (true) {
    const std::size_t begin = text.find("{{");
    out << text.substr(0, begin);
    if (begin == std::string_view::npos) return;
    const std::size_t end = text.find("}}", begin);
    LABELPROBE_CHECK(end != std::string_view::npos);
    const std::string_view name = text.substr(begin + 2, end - begin - 2);
    bool is_known = false;
    for (const auto& [known, value] : values) {
      if (known != name) continue;
      out << value;
      is_known = true;
    }
    LABELPROBE_CHECK(is_known);
    text.remove_prefix(end + 2);
  }
}

}  // namespace

void write_report(std::ostream& out, const ReportPage& page) {
  LABELPROBE_CHECK(!page.runs.empty());
  const std::string runs = runs_section(page);
  const std::string notes = notes_section(page);
  const std::string tables = tables_section(page);
  const std::string validity = validity_section(page);
  const std::string pictures = pictures_section(page);
  Named values = {{"runs", runs},
                  {"notes", notes},
                  {"tables", tables},
                  {"validity", validity},
                  {"pictures", pictures}};
  const std::string to_sections = links(values);
  const std::string own = own_sections(page);
  const std::string to_own = own_links(page);
  const std::string title = files::escape_html(page.title);
  const std::string of_runs = files::escape_html(summary(page));
  const std::string program = files::escape_html(record::program_version());
  const std::string data = files::base64(files::gzip(page_data(page)));
  const Named others = {{"own", own},          {"own_links", to_own},   {"links", to_sections},
                        {"title", title},      {"summary", of_runs},    {"program", program},
                        {"style", kPageStyle}, {"script", kPageScript}, {"data", data}};
  values.insert(values.end(), others.begin(), others.end());
  fill(out, kPageBody, values);
}

}  // namespace labelprobe::analysis
