// The behaviour of the pages, in one file and without inline handlers, so that a strict CSP holds.
(function ($) {
  "use strict";

  const messages = JSON.parse(document.getElementById("bureau-messages").textContent);

  // Date fields: FAB's datepicker markup becomes the browser's own date input.
  function nativeDates() {
    return this.each(function () {
      const box = $(this);
      const input = box.is("input") ? box : box.find("input").first();
      if (box.is(".appbuilder_date")) {
        input.attr("type", "date");
      }
      input.addClass("form-control");
      if (!box.is("input")) {
        box.replaceWith(input);
      }
    });
  }
  $.fn.datepicker = $.fn.datetimepicker = nativeDates;

  // Dialogs
  function notice(text) {
    const dialog = document.getElementById("alert-dialog");
    dialog.querySelector(".dialog-text").textContent = text;
    dialog.showModal();
  }
  window.ab_alert = notice;

  let onConfirm = null;
  function confirmThen(text, go, deed) {
    const dialog = document.getElementById("confirm-dialog");
    dialog.querySelector(".dialog-text").textContent = text;
    const yes = dialog.querySelector("[data-dialog=ok]");
    yes.dataset.words = yes.dataset.words || yes.textContent;
    yes.textContent = deed || yes.dataset.words;
    onConfirm = go;
    dialog.showModal();
    dialog.querySelector("[data-dialog=cancel]").focus();
  }
  $(document).on("click", "[data-dialog]", function () {
    const go = this.dataset.dialog === "ok" ? onConfirm : null;
    this.closest("dialog").close();
    if (go) {
      go();
    }
  });
  $("#confirm-dialog").on("close", function () {
    onConfirm = null;
  });

  // Buttons that change data: rows needed, confirmation, no second press.
  $(document).on("click", "button[data-confirm], button[data-needs-rows]", function (event) {
    const button = this;
    if (button.dataset.confirmed) {
      delete button.dataset.confirmed;
      return;
    }
    const form = button.form;
    if (button.hasAttribute("data-needs-rows") && !pickedRows(form).length) {
      event.preventDefault();
      notice(messages.select_rows);
      return;
    }
    if (button.dataset.confirm) {
      event.preventDefault();
      confirmThen(button.dataset.confirm, function () {
        button.dataset.confirmed = "1";
        button.click();
      }, button.textContent.trim());
    }
  });
  function pickedRows(form) {
    return form ? Array.from(form.elements).filter((e) => e.name === "rowid" && e.checked) : [];
  }
  $(document).on("submit", "form[method=post]", function (event) {
    const form = this;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    const pressed = event.originalEvent && event.originalEvent.submitter;
    if (pressed) {
      pressed.setAttribute("aria-busy", "true");
    }
    // An answer that is a file leaves the page as it is: let it be asked for again.
    setTimeout(() => form.removeAttribute("data-sent"), 4000);
  });
  window.addEventListener("pageshow", function () {
    $("form[data-sent]").removeAttr("data-sent");
    $("[aria-busy]").removeAttr("aria-busy");
  });

  $(document).on("click", "[data-print]", () => window.print());

  // Rows of lists: lists that are not ours (cards, thumbnails) get their check boxes bound here.
  $("[data-actions] .action_check:not([form])").each(function () {
    this.setAttribute("form", this.closest("[data-actions]").dataset.actions);
  });
  $(document).on("change", ".action_check_all", function () {
    const list = $(this).closest("[data-actions]");
    list.find(".action_check").prop("checked", this.checked).trigger("change");
  });
  $(document).on("change", ".action_check", function () {
    $(this).closest("tr").toggleClass("is-picked", this.checked);
  });

  // Drawer and menus
  function drawer(open) {
    const button = document.querySelector("[data-drawer]");
    if (!button) {
      return;
    }
    document.body.classList.toggle("drawer-open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      const first = document.querySelector("#sidebar [aria-current], #sidebar a");
      if (first) {
        first.focus();
      }
    } else {
      button.focus();
    }
  }
  $(document).on("click", "[data-drawer]", function () {
    drawer(!document.body.classList.contains("drawer-open"));
  });
  $(document).on("click", "[data-drawer-close]", function () {
    drawer(false);
  });
  $(document).on("click", function (event) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    });
  });
  $(document).on("keydown", function (event) {
    if (event.key !== "Escape") {
      return;
    }
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    if (document.body.classList.contains("drawer-open")) {
      drawer(false);
    }
  });

  // Selects: the browser's own for short lists, select2 for long ones and for lookups.
  const language = {
    errorLoading: () => messages.failed,
    inputTooShort: () => messages.too_short,
    loadingMore: () => messages.more,
    noResults: () => messages.none,
    searching: () => messages.searching,
    removeAllItems: () => messages.remove,
    removeItem: () => messages.remove,
  };
  const LONG_LIST = 12;

  function labelOf(element) {
    const label = element.id && document.querySelector('label[for="' + CSS.escape(element.id) + '"]');
    const words = label ? label.textContent.replace(/\s*\*.*$/s, "").trim() : "";
    return element.getAttribute("aria-label") || words;
  }
  function select2(element, options) {
    const select = $(element);
    const dialog = element.closest("dialog");
    select.select2(Object.assign({
      theme: "bootstrap",
      width: "100%",
      language: language,
      allowClear: !element.required && !element.multiple,
      placeholder: element.dataset.placeholder || messages.choose,
      dropdownParent: dialog ? $(dialog) : $(document.body),
    }, options));
    const name = labelOf(element);
    select.next(".select2-container").find(".select2-selection, .select2-search__field").attr("aria-label", name || messages.choose);
    select.on("select2:open", function () {
      const field = document.querySelector(".select2-container--open .select2-search__field");
      if (field) {
        field.setAttribute("aria-label", name || messages.too_short);
        field.setAttribute("placeholder", messages.too_short);
        field.focus();
      }
    });
  }
  function enhanceSelect(element) {
    if (element.classList.contains("select2-hidden-accessible")) {
      return;
    }
    if (element.multiple || element.options.length > LONG_LIST) {
      select2(element, {});
    }
  }

  // Lookup: data-endpoint answers ?q=…&page=… with {"results": [{"id", "text"}], "more": bool}.
  function asSelect(input) {
    const select = document.createElement("select");
    Array.from(input.attributes).forEach(function (attribute) {
      if (!["type", "value"].includes(attribute.name)) {
        select.setAttribute(attribute.name, attribute.value);
      }
    });
    if (input.value && !select.dataset.initialId) {
      select.dataset.initialId = input.value;
    }
    input.replaceWith(select);
    return select;
  }
  function fetchText(select, id) {
    $.getJSON(select.dataset.endpoint, { id: id }).done(function (answer) {
      const found = (answer.results || []).find((row) => String(row.id) === String(id));
      if (found) {
        $(select).find("option").filter((_, option) => option.value === String(id)).text(found.text);
        $(select).trigger("change.select2");
      }
    });
  }
  // Lookups that offer what fits another field of the form: data-beside="school_id=school".
  function besides(select) {
    const form = select.closest("form");
    const pairs = Array.from(new URLSearchParams(select.dataset.beside || ""));
    return pairs
      .map(([key, name]) => ({ key: key, field: form && form.elements[name] }))
      .filter((one) => one.field);
  }
  function askedBeside(select) {
    return Object.fromEntries(besides(select).map((one) => [one.key, one.field.value || "0"]));
  }
  function nothingFound(select) {
    const empty = besides(select).find((one) => !one.field.value);
    return empty ? messages.first.replace("{field}", labelOf(empty.field)) : messages.none;
  }
  function followBesides(select) {
    besides(select).forEach(function (one) {
      $(one.field).on("change", () => $(select).val(null).trigger("change"));
    });
  }
  function enhanceLookup(element) {
    if (element.classList.contains("select2-hidden-accessible")) {
      return;
    }
    const select = element.tagName === "INPUT" ? asSelect(element) : element;
    const id = select.dataset.initialId;
    if (id && !Array.from(select.options).some((option) => option.value === id && option.selected)) {
      const text = select.dataset.initialText;
      select.add(new Option(text || "#" + id, id, true, true));
      if (!text) {
        fetchText(select, id);
      }
    }
    if (!select.multiple && !select.querySelector('option[value=""]')) {
      select.prepend(new Option("", ""));
      if (!id && !select.querySelector("option[selected]")) {
        select.value = "";
      }
    }
    select2(select, {
      ajax: {
        url: select.dataset.endpoint,
        dataType: "json",
        delay: 200,
        data: (params) => Object.assign({ q: params.term || "", page: params.page || 1 }, askedBeside(select)),
        processResults: (answer) => ({ results: answer.results, pagination: { more: Boolean(answer.more) } }),
      },
      language: Object.assign({}, language, { noResults: () => nothingFound(select) }),
    });
    followBesides(select);
  }
  function enhance(root) {
    $(root).find(".appbuilder_date, .appbuilder_datetime").datepicker();
    $(root).find("select.my_select2").each((_, element) => enhanceSelect(element));
    $(root).find(".bureau-lookup").each((_, element) => enhanceLookup(element));
    $(root).find("input[placeholder], textarea[placeholder]").each(function () {
      if (this.placeholder === labelOf(this)) {
        this.removeAttribute("placeholder");
      }
    });
  }
  // Lines of a form: the pattern brings one more, numbered after the last.
  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-add-line]");
    if (!button) {
      return;
    }
    const lines = button.closest(".lines");
    const pattern = lines.querySelector("template").innerHTML;
    const holder = document.createElement("div");
    const number = lines.querySelectorAll("fieldset.line").length;
    holder.innerHTML = pattern.replaceAll("__next__", String(number));
    const line = holder.firstElementChild;
    lines.insertBefore(line, button.previousElementSibling);
    enhance(line);
    const first = line.querySelector("input:not([type=hidden]), select");
    if (first) {
      first.focus();
    }
  });
  window.bureau = { enhance: enhance, notice: notice, confirmThen: confirmThen };

  // Search: one row a condition, made from the fields that the server sent for it.
  function searchForm(form) {
    const given = JSON.parse(form.dataset.filters);
    const rows = form.querySelector(".filter-rows");

    function valueField(column, value) {
      const holder = $("<div>").html(given.fields[column]);
      holder.find(".appbuilder_date, .appbuilder_datetime").datepicker();
      const field = holder.find("input, select, textarea").first().removeAttr("id").removeAttr("required");
      field.attr("aria-label", given.labels[column] + " " + messages.value);
      if (field.is(":checkbox")) {
        return $("<span>").text(messages.yes).append($("<input type=hidden value=y>"));
      }
      if (value !== undefined && field.is(".bureau-lookup")) {
        field.attr("data-initial-id", value);
      } else if (value !== undefined) {
        field.val(value);
      }
      return holder;
    }
    function addRow(column, operation, value) {
      const row = $("<div class=filter-row>");
      const choice = $("<select class=form-control>").attr("aria-label", given.labels[column] + " " + messages.operation);
      given.operations[column].forEach(function (name, index) {
        choice.append(new Option(name, index, false, name === operation));
      });
      const remove = $('<button type="button" class="row-button filter-remove">')
        .attr("aria-label", messages.remove + " " + given.labels[column])
        .append('<i class="fa fa-xmark" aria-hidden="true"></i>');
      const label = $("<label>").text(given.labels[column]);
      row.append(label, choice, $("<div>").append(valueField(column, value)), remove).appendTo(rows);
      function rename() {
        row.children("div").find("input, select, textarea").first().attr("name", "_flt_" + choice.val() + "_" + column);
      }
      rename();
      enhance(row);
      choice.on("change", rename);
      remove.on("click", () => row.remove());
      return row;
    }

    const fold = form.closest("details");
    if (fold && window.innerWidth <= 768) {
      fold.open = false; // the list comes first on a phone; the heading counts the conditions
    }
    given.active.forEach(function (filter) {
      [].concat(filter[2]).forEach((value) => addRow(filter[0], filter[1], value));
    });
    $(form).find(".filter-add").on("change", function () {
      if (this.value) {
        addRow(this.value).find("input, select").eq(1).trigger("focus");
        this.value = "";
      }
    });
  }

  // Inspection form: pairs that must agree, progress of sections, names of chosen files.
  function comparePair(pair) {
    const numbers = Array.from(pair.querySelectorAll("input[type=number]")).map((input) => input.value);
    const message = pair.querySelector(".pair-message");
    if (!message) {
      return;
    }
    const differ = numbers.every((value) => value !== "") && Number(numbers[0]) !== Number(numbers[1]);
    message.hidden = !differ;
    if (differ) {
      message.textContent = messages.differ.replace("{count}", Math.abs(numbers[0] - numbers[1]));
    }
  }
  function countSection(section) {
    const progress = section.querySelector(".section-progress");
    const groups = section.querySelectorAll(".verdicts");
    if (progress && groups.length) {
      const done = Array.from(groups).filter((group) => group.querySelector("input:checked:not([value=unchecked])")).length;
      progress.textContent = done + " / " + groups.length;
    }
  }
  $(document).on("input", ".field-pair", function () {
    comparePair(this);
  });
  $(document).on("change", ".section-card", function () {
    countSection(this);
  });
  $(document).on("change", ".item .verdicts input[value=fails]", function () {
    const opinion = this.closest(".item").querySelector(".opinion");
    if (opinion) {
      opinion.open = true;
    }
  });
  $(document).on("change", ".file-input", function () {
    const list = document.createElement("ul");
    list.className = "staged chosen";
    Array.from(this.files).forEach(function (file) {
      const row = document.createElement("li");
      row.append(Object.assign(document.createElement("span"), { className: "file-name", textContent: file.name }));
      list.append(row);
    });
    $(this).siblings(".chosen").remove();
    $(this).after(list);
  });

  $(function () {
    enhance(document);
    document.querySelectorAll("form[data-filters]").forEach(searchForm);
    document.querySelectorAll(".field-pair").forEach(comparePair);
    document.querySelectorAll(".section-card").forEach(countSection);
    const summary = document.querySelector(".error-summary");
    if (summary) {
      summary.focus();
    }
  });
})(jQuery);
