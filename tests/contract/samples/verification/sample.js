const axios = require("axios");

let API_KEY = "votre-apikey";

let SITE_ID = "votre-site-id";

let URL = "https://api-checkout.cinetpay.com/v2/payment/check";

let CONFIG = {
    headers: {'Content-Type': 'application/json'}
}

let payment = {
    "apikey": API_KEY,
    "site_id": SITE_ID,
    "transaction_id": "id-de-paiement", 
}

axios.post(URL,payment,CONFIG)
    .then(function(api_response){

        let response = api_response.data;

        console.log(response);

    })
    .catch(function(error){

        console.log(error.message);

    });
